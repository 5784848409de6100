//! [`Outcome`]: what the cache did with a request, for the client and for logs.

use std::time::Duration;

use crate::{Life, Unstorable, Verdict};

/// The response header with the short form of the outcome: `HIT`, `MISS`, `STALE` or `BYPASS`.
pub const X_WAYPOST_CACHE: &str = "x-waypost-cache";

/// What the cache did with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// A fresh response was served.
    Hit {
        /// How long it stays fresh, in seconds.
        ttl: i64,
    },
    /// A stale response was served, and a new one is made.
    Stale {
        /// How long it has been stale, in seconds, as a negative number. It is 0 if it was invalidated.
        ttl: i64,
    },
    /// The handler ran.
    Miss(Miss<'a>),
    /// The cache was not asked.
    Bypass {
        /// Why.
        reason: &'a str,
    },
}

/// A request for which the handler ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss<'a> {
    /// Whether there was an entry that must not be served any more.
    pub was_gone: bool,
    /// Whether this request waited for the run of another one.
    pub collapsed: bool,
    /// Whether the response was stored, or why not.
    pub stored: Result<(), &'a Unstorable>,
}

impl<'a> Outcome<'a> {
    /// Returns the outcome of a request for which the handler ran.
    pub fn ran(was_gone: bool, stored: Result<(), &'a Unstorable>) -> Self {
        Self::Miss(Miss {
            was_gone,
            collapsed: false,
            stored,
        })
    }

    /// Returns the outcome of a request that waited for the run of another one.
    pub fn waited(was_gone: bool, stored: Result<(), &'a Unstorable>) -> Self {
        Self::Miss(Miss {
            was_gone,
            collapsed: true,
            stored,
        })
    }

    /// Returns the outcome of serving a fresh entry of this age.
    pub fn hit(age: Duration, life: Life) -> Self {
        let ttl = time_to_live(age, life);
        Self::Hit { ttl }
    }

    /// Returns the outcome of serving a stale entry of this age.
    pub fn stale(age: Duration, life: Life) -> Self {
        // A young one was invalidated.
        let ttl = time_to_live(age, life).min(0);
        Self::Stale { ttl }
    }

    /// Returns the outcome of serving an entry, or `None` if it must not be served.
    pub fn served(verdict: Verdict, age: Duration, life: Life) -> Option<Self> {
        match verdict {
            Verdict::Fresh => Some(Self::hit(age, life)),
            Verdict::Stale => Some(Self::stale(age, life)),
            Verdict::Gone => None,
        }
    }

    /// Returns the value of [`X_WAYPOST_CACHE`].
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Hit { .. } => "HIT",
            Self::Stale { .. } => "STALE",
            Self::Miss(_) => "MISS",
            Self::Bypass { .. } => "BYPASS",
        }
    }

    /// Writes this cache's member of `Cache-Status` ([RFC 9211](https://www.rfc-editor.org/rfc/rfc9211)).
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost_cache::{status::Miss, Outcome, Unstorable};
    ///
    /// assert_eq!(Outcome::Hit { ttl: 30 }.cache_status(), "waypost; hit; ttl=30");
    /// let stored = Err(&Unstorable::SetCookie);
    /// let miss = Miss { was_gone: false, collapsed: false, stored };
    /// assert_eq!(
    ///     Outcome::Miss(miss).cache_status(),
    ///     "waypost; fwd=uri-miss; detail=\"the response has set-cookie\""
    /// );
    /// ```
    pub fn cache_status(&self) -> String {
        match self {
            Self::Hit { ttl } | Self::Stale { ttl } => format!("waypost; hit; ttl={ttl}"),
            Self::Miss(miss) => miss.cache_status(),
            Self::Bypass { reason } => format!("waypost; fwd=bypass; detail={}", quoted(reason)),
        }
    }
}

/// Returns how long an entry of this age stays fresh, in seconds.
fn time_to_live(age: Duration, life: Life) -> i64 {
    // A life is at most `MAX_LIFE`, and an older entry is never served.
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    seconds(life.fresh_for()).saturating_sub(seconds(age))
}

impl Miss<'_> {
    fn cache_status(&self) -> String {
        let fwd = match (self.stored, self.was_gone) {
            (Err(Unstorable::Method), _) => "method",
            (_, true) => "stale",
            (_, false) => "uri-miss",
        };
        let collapsed = if self.collapsed { "; collapsed" } else { "" };
        let stored = match self.stored {
            Ok(()) => "; stored".to_owned(),
            Err(reason) => format!("; detail={}", quoted(&reason.to_string())),
        };
        format!("waypost; fwd={fwd}{collapsed}{stored}")
    }
}

/// Writes a string of a structured field ([RFC 9651 section
/// 3.3.3](https://www.rfc-editor.org/rfc/rfc9651#section-3.3.3)). It has only printable ASCII; other characters become `?`.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            _ => out.push('?'),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn served_entries() {
        let life = Life::new(Some(Duration::from_secs(60)), None).unwrap();
        let served = |verdict, age| Outcome::served(verdict, Duration::from_secs(age), life);
        assert_eq!(served(Verdict::Fresh, 20), Some(Outcome::Hit { ttl: 40 }));
        assert_eq!(
            served(Verdict::Stale, 70),
            Some(Outcome::Stale { ttl: -10 })
        );
        // It was invalidated softly, although it is young.
        assert_eq!(served(Verdict::Stale, 20), Some(Outcome::Stale { ttl: 0 }));
        assert_eq!(served(Verdict::Gone, 20), None);
        assert_eq!(
            Outcome::Stale { ttl: -10 }.cache_status(),
            "waypost; hit; ttl=-10"
        );
    }

    #[test]
    fn misses_say_why() {
        let status = |was_gone, collapsed, stored| {
            let miss = Miss {
                was_gone,
                collapsed,
                stored,
            };
            Outcome::Miss(miss).cache_status()
        };
        assert_eq!(
            status(false, false, Ok(())),
            "waypost; fwd=uri-miss; stored"
        );
        assert_eq!(
            status(true, true, Ok(())),
            "waypost; fwd=stale; collapsed; stored"
        );
        assert_eq!(
            status(false, false, Err(&Unstorable::Method)),
            "waypost; fwd=method; detail=\"the method is neither GET nor HEAD\""
        );
        let vary = Unstorable::Vary("a\"\\\nü".to_owned());
        assert_eq!(
            status(false, false, Err(&vary)),
            "waypost; fwd=uri-miss; detail=\"the response varies by a\\\"\\\\??, which the policy does not name\""
        );
    }

    #[test]
    fn short_forms() {
        let bypass = Outcome::Bypass { reason: "draft" };
        assert_eq!(
            bypass.cache_status(),
            "waypost; fwd=bypass; detail=\"draft\""
        );
        assert_eq!(bypass.as_str(), "BYPASS");
        assert_eq!(Outcome::Hit { ttl: 1 }.as_str(), "HIT");
        assert_eq!(Outcome::Stale { ttl: 0 }.as_str(), "STALE");
    }
}
