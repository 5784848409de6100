//! [`Life`]: how long a response is fresh, and how long it may be served at all.

use std::time::Duration;

use waypost_routing::Pattern;

use crate::policy::PolicyError;

/// How long a cached response is fresh, and how long it may be served at all.
///
/// Both times are whole seconds and are counted from the start of the run that produced the response. Until `revalidate`
/// the response is fresh. From then on it is stale: it is still served while a new one is made. From `expire` on it is
/// not served any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    revalidate: Option<Duration>,
    expire: Duration,
}

/// The `expire` of a life that does not set one: 365 days, as `expireTime` in Next.
pub const DEFAULT_EXPIRE: Duration = Duration::from_secs(365 * DAY);

/// The longest time that a life may have, about 68 years. Recipients may treat more as infinite
/// ([RFC 9111 section 1.2.2](https://www.rfc-editor.org/rfc/rfc9111#section-1.2.2)).
pub const MAX_LIFE: Duration = Duration::from_secs(i32::MAX as u64);

/// How long a 404 or 410 is kept if clients can ask for any number of paths.
pub const NEGATIVE_LIFE: Duration = Duration::from_secs(60);

/// Whether clients can choose the paths of a route, which decides how long a negative response is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathSpace {
    /// The pattern has no params, or the app lists all values of its params.
    Closed,
    /// The pattern has params with any value.
    Open,
}

impl PathSpace {
    /// Returns the path space of a pattern, if the app does not list the values of its params.
    pub fn of(pattern: &Pattern) -> Self {
        match pattern.params().next() {
            None => Self::Closed,
            Some(_) => Self::Open,
        }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The built-in profiles: name, `revalidate` and `expire` in seconds.
///
/// These are the times of Next's [`cacheLife`](https://nextjs.org/docs/app/api-reference/functions/cacheLife), as in the table
/// "Preset cache profiles" of that page and in `dist/server/config-shared.js` of `next@16.4.6`. `default` never expires in Next;
/// here it has [`DEFAULT_EXPIRE`]. The third time in Next, `stale`, is for the router in the browser, which Waypost does not have.
const PROFILES: [(&str, u64, u64); 7] = [
    ("default", 15 * MINUTE, 365 * DAY),
    ("seconds", 1, MINUTE),
    ("minutes", MINUTE, HOUR),
    ("hours", HOUR, DAY),
    ("days", DAY, 7 * DAY),
    ("weeks", 7 * DAY, 30 * DAY),
    ("max", 30 * DAY, 365 * DAY),
];

impl Life {
    /// Creates a life. Without `revalidate` the response stays fresh until it expires or is revalidated by tag or path.
    ///
    /// Without `expire` it is [`DEFAULT_EXPIRE`], or `revalidate` if that is longer.
    ///
    /// # Errors
    ///
    /// Returns an error if a time is zero, longer than [`MAX_LIFE`] or not in whole seconds, or if `expire` is less than
    /// `revalidate`.
    pub fn new(
        revalidate: Option<Duration>,
        expire: Option<Duration>,
    ) -> Result<Self, PolicyError> {
        if let Some(time) = revalidate {
            check_time("revalidate", time)?;
        }
        let expire = expire.unwrap_or(DEFAULT_EXPIRE.max(revalidate.unwrap_or_default()));
        check_time("expire", expire)?;
        match revalidate {
            Some(revalidate) if expire < revalidate => Err(PolicyError::ExpireBeforeRevalidate {
                revalidate: revalidate.as_secs(),
                expire: expire.as_secs(),
            }),
            _ => Ok(Self { revalidate, expire }),
        }
    }

    /// Returns a built-in profile, or `None` if there is none of this name.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use waypost_cache::Life;
    ///
    /// let hours = Life::profile("hours").unwrap();
    /// assert_eq!(hours.revalidate(), Some(Duration::from_secs(3600)));
    /// assert_eq!(hours.expire(), Duration::from_secs(86_400));
    /// ```
    pub fn profile(name: &str) -> Option<Self> {
        let (_, revalidate, expire) = PROFILES.iter().find(|(known, ..)| *known == name)?;
        Some(Self {
            revalidate: Some(Duration::from_secs(*revalidate)),
            expire: Duration::from_secs(*expire),
        })
    }

    /// Iterates over the names of the built-in profiles.
    pub fn profile_names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().map(|(name, ..)| *name)
    }

    /// Returns the age from which a response is stale, or `None` if age does not make it stale.
    pub fn revalidate(self) -> Option<Duration> {
        self.revalidate
    }

    /// Returns the age from which a response is not served any more.
    pub fn expire(self) -> Duration {
        self.expire
    }

    /// Returns the age until which a response is fresh: `revalidate`, or `expire` without it.
    pub fn fresh_for(self) -> Duration {
        self.revalidate.unwrap_or(self.expire)
    }

    /// Combines two lives: the shorter time counts in each respect, as in Next for nested lives.
    #[must_use]
    pub fn shorter(self, other: Self) -> Self {
        let expire = self.expire.min(other.expire);
        let revalidate = match (self.revalidate, other.revalidate) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        // One may expire before the other is stale.
        let revalidate = revalidate.map(|revalidate| revalidate.min(expire));
        Self { revalidate, expire }
    }

    /// Returns the life of a response with this status: a 404 or 410 in an open [`PathSpace`] is kept for at most
    /// [`NEGATIVE_LIFE`].
    #[must_use]
    pub fn for_status(self, status: u16, paths: PathSpace) -> Self {
        match (status, paths) {
            (404 | 410, PathSpace::Open) => self.shorter(Self {
                revalidate: None,
                expire: NEGATIVE_LIFE,
            }),
            _ => self,
        }
    }
}

/// Without times: fresh until it is revalidated, and kept for [`DEFAULT_EXPIRE`].
impl Default for Life {
    fn default() -> Self {
        Self {
            revalidate: None,
            expire: DEFAULT_EXPIRE,
        }
    }
}

fn check_time(field: &'static str, time: Duration) -> Result<(), PolicyError> {
    if time.is_zero() {
        Err(PolicyError::ZeroTime { field })
    } else if time.subsec_nanos() != 0 {
        Err(PolicyError::NotWholeSeconds { field })
    } else if time > MAX_LIFE {
        Err(PolicyError::TooLongTime { field })
    } else {
        Ok(())
    }
}

/// Parses a time such as `90s`, `1m`, `2 h` or `1d`. A number without a unit is seconds.
///
/// Returns `None` for anything else, and if the number of seconds does not fit into 64 bits.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(waypost_cache::life::parse_time("1d"), Some(Duration::from_secs(86_400)));
/// assert_eq!(waypost_cache::life::parse_time("500ms"), None);
/// ```
pub fn parse_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let seconds = match unit.trim_start() {
        "" | "s" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests;
