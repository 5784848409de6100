//! A cookie with its attributes.

use std::fmt;
use std::time::SystemTime;

pub use cookie::SameSite;
use cookie::time::{Duration, OffsetDateTime, PrimitiveDateTime};

use super::date::{HttpDate, now};
use super::encoding::{encode, is_attribute, is_token};

/// A cookie: a name, a value, and the attributes of [RFC 6265](https://www.rfc-editor.org/rfc/rfc6265#section-4.1) if
/// it is sent to the client.
///
/// # Examples
///
/// ```
/// use waypost::cookies::{Cookie, SameSite};
///
/// let session = Cookie::new("session", "7f3a").http_only().secure().same_site(SameSite::Lax).max_age(3600);
/// let pair: Cookie = ("theme", "dark").into();
/// # assert_eq!((session.name(), pair.value()), ("session", "dark"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cookie {
    inner: cookie::Cookie<'static>,
    priority: Option<Priority>,
}

/// The order in which a browser with too many cookies drops them: an attribute of Chromium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Dropped first.
    Low,
    /// The default.
    Medium,
    /// Dropped last.
    High,
}

impl Cookie {
    /// Creates a cookie without attributes. Its path is `/`.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        let inner = cookie::Cookie::new(name.into(), value.into());
        Self {
            inner,
            priority: None,
        }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// Returns the decoded value.
    pub fn value(&self) -> &str {
        self.inner.value()
    }

    /// Returns the path: `/` unless another was set.
    pub fn path_attribute(&self) -> &str {
        self.inner.path().unwrap_or("/")
    }

    /// Returns the domain, or `None` if it was not set.
    pub fn domain_attribute(&self) -> Option<&str> {
        self.inner.domain().filter(|domain| !domain.is_empty())
    }

    /// Returns the number of seconds after which the client drops the cookie, or `None` if it was not set.
    pub fn max_age_attribute(&self) -> Option<i64> {
        self.inner.max_age().map(Duration::whole_seconds)
    }

    /// Returns the time at which the client drops the cookie, or `None` if it was not set.
    pub fn expires_attribute(&self) -> Option<SystemTime> {
        self.inner.expires_datetime().map(SystemTime::from)
    }

    /// Sets the path below which the client sends the cookie. An empty path omits the attribute: the client then
    /// takes the parent of the request's path.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.inner.set_path(path.into());
        self
    }

    /// Sets the domain: the client sends the cookie to it and its subdomains, and not only to the host that set it.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.inner.set_domain(domain.into());
        self
    }

    /// Sets the number of seconds after which the client drops the cookie; 0 or less is at once. Any number but 0
    /// also writes `Expires`, for clients that know only that.
    #[must_use]
    pub fn max_age(mut self, seconds: i64) -> Self {
        self.inner.set_max_age(Duration::seconds(seconds));
        self
    }

    /// Sets the time at which the client drops the cookie, in whole seconds, limited to the years 1970 to 9999.
    #[must_use]
    pub fn expires(mut self, time: SystemTime) -> Self {
        self.inner.set_expires(in_range(time));
        self
    }

    /// Restricts the cookie to HTTPS.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.inner.set_secure(true);
        self
    }

    /// Hides the cookie from scripts.
    #[must_use]
    pub fn http_only(mut self) -> Self {
        self.inner.set_http_only(true);
        self
    }

    /// Sets whether the client sends the cookie with requests from other sites.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.inner.set_same_site(same_site);
        self
    }

    /// Partitions the cookie by the top-level site (CHIPS).
    #[must_use]
    pub fn partitioned(mut self) -> Self {
        self.inner.set_partitioned(true);
        self
    }

    /// Sets the order in which a browser with too many cookies drops this one.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Converts into the cookie that makes the client delete this one.
    pub(super) fn removal(mut self) -> Self {
        self.inner.set_value("");
        self.inner.set_max_age(Duration::ZERO);
        self.inner.set_expires(OffsetDateTime::UNIX_EPOCH);
        self
    }

    /// Returns the parts by which a client identifies a cookie.
    pub(super) fn key(&self) -> (&str, &str, Option<&str>) {
        (self.name(), self.path_attribute(), self.domain_attribute())
    }

    /// Returns whether a `Set-Cookie` header sets this cookie, read as a client reads it (RFC 6265 section 5.2): the last
    /// attribute of a name counts, and a domain has no leading dot. A header without a path is taken to have the path `/`.
    pub(super) fn is_set_by(&self, line: &[u8]) -> bool {
        let mut parts = line.split(|byte| *byte == b';').map(|part| {
            let mut halves = part.splitn(2, |byte| *byte == b'=');
            let mut half = || halves.next().map(<[u8]>::trim_ascii);
            (half().unwrap_or_default(), half().unwrap_or_default())
        });
        let name = parts.next().map(|(name, _)| name);
        let (mut path, mut domain) = (&b"/"[..], None);
        for (attribute, value) in parts {
            if attribute.eq_ignore_ascii_case(b"path") {
                path = if value.starts_with(b"/") { value } else { b"/" };
            } else if attribute.eq_ignore_ascii_case(b"domain") {
                domain = Some(value.strip_prefix(b".").unwrap_or(value));
            }
        }
        let is_domain = |own: Option<&str>| match (own, domain) {
            (Some(own), Some(domain)) => {
                let own = own.strip_prefix('.').unwrap_or(own);
                own.as_bytes().eq_ignore_ascii_case(domain)
            }
            (own, domain) => own.is_none() && domain.is_none(),
        };
        let (own_name, own_path, own_domain) = self.key();
        name == Some(own_name.as_bytes()) && path == own_path.as_bytes() && is_domain(own_domain)
    }

    /// Checks that no part can inject another attribute. The value can't, because it is encoded.
    pub(super) fn check(&self) -> Result<(), CookieError> {
        let name = self.name();
        if !is_token(name) {
            let name = name.escape_debug();
            return Err(CookieError(format!(
                "`{name}` can't be the name of a cookie"
            )));
        }
        for (part, text) in [
            ("path", self.path_attribute()),
            ("domain", self.domain_attribute().unwrap_or_default()),
        ] {
            if !is_attribute(text) {
                let text = text.escape_debug();
                let why = format!("`{text}` can't be the {part} of the cookie `{name}`");
                return Err(CookieError(why));
            }
        }
        Ok(())
    }

    /// Returns the value of `Expires`: from `Max-Age` unless that is zero, for clients that know only `Expires`.
    fn expiry(&self) -> Option<OffsetDateTime> {
        let time = match self.inner.max_age() {
            Some(age) if !age.is_zero() => now().checked_add(age),
            _ => self.inner.expires_datetime(),
        };
        // An HTTP date can't be before the year 0, and clients may refuse dates before 1601.
        time.map(|time| time.max(OffsetDateTime::UNIX_EPOCH))
    }
}

/// The value of a `Set-Cookie` header, with its attributes in Next's order.
impl fmt::Display for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name(), encode(self.value()))?;
        if !self.path_attribute().is_empty() {
            write!(f, "; Path={}", self.path_attribute())?;
        }
        if let Some(expires) = self.expiry() {
            write!(f, "; Expires={}", HttpDate(expires))?;
        }
        if let Some(age) = self.max_age_attribute() {
            write!(f, "; Max-Age={age}")?;
        }
        if let Some(domain) = self.domain_attribute() {
            write!(f, "; Domain={domain}")?;
        }
        let flag = |given: Option<bool>, text| if given == Some(true) { text } else { "" };
        f.write_str(flag(self.inner.secure(), "; Secure"))?;
        f.write_str(flag(self.inner.http_only(), "; HttpOnly"))?;
        if let Some(same_site) = self.inner.same_site() {
            write!(f, "; SameSite={same_site}")?;
        }
        f.write_str(flag(self.inner.partitioned(), "; Partitioned"))?;
        f.write_str(match self.priority {
            Some(Priority::Low) => "; Priority=low",
            Some(Priority::Medium) => "; Priority=medium",
            Some(Priority::High) => "; Priority=high",
            None => "",
        })
    }
}

impl<N: Into<String>, V: Into<String>> From<(N, V)> for Cookie {
    fn from((name, value): (N, V)) -> Self {
        Self::new(name, value)
    }
}

impl From<&str> for Cookie {
    fn from(name: &str) -> Self {
        Self::new(name, "")
    }
}

impl From<cookie::Cookie<'static>> for Cookie {
    fn from(inner: cookie::Cookie<'static>) -> Self {
        Self {
            inner,
            priority: None,
        }
    }
}

/// The reason why a cookie can't be set.
#[derive(Debug, PartialEq, Eq)]
pub struct CookieError(String);

impl CookieError {
    /// The response may be cached.
    pub(super) fn cached(name: &str) -> Self {
        Self(format!(
            "cookies can't be set in a cached response, which is for all clients: `{name}`"
        ))
    }

    /// The headers of the response were already sent.
    pub(super) fn too_late(name: &str) -> Self {
        Self(format!(
            "the response was already sent: the cookie `{name}` can't be set any more"
        ))
    }
}

impl fmt::Display for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CookieError {}

/// Limits a time to the range that an HTTP date can express.
fn in_range(time: SystemTime) -> OffsetDateTime {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since_1970.map_or(0, |since| since.as_secs());
    let time = i64::try_from(seconds)
        .ok()
        .map(OffsetDateTime::from_unix_timestamp);
    let last = || PrimitiveDateTime::MAX.assume_utc();
    time.and_then(Result::ok).unwrap_or_else(last)
}
