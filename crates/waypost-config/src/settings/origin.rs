//! The public origin of the app.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The public origin of an app: scheme, host and port, such as `https://example.com`.
///
/// Behind a proxy that terminates TLS, requests don't show it.
///
/// Source: RFC 6454, section 4.
///
/// # Examples
///
/// ```
/// use waypost_config::settings::Origin;
///
/// let origin: Origin = "https://Example.com:443".parse()?;
/// assert_eq!(origin.scheme(), "https");
/// assert_eq!(origin.authority(), "example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    authority: String,
}

/// Why an origin is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// It is not a URL.
    #[error("it must be a scheme and a host, as in `https://example.com`")]
    Malformed,
    /// The scheme is not `http` or `https`.
    #[error("its scheme must be `http` or `https`")]
    Scheme,
    /// It has more parts than scheme, host and port.
    #[error("it must not have a user, path, query or fragment")]
    Excess,
}

impl Origin {
    /// Returns the scheme: `http` or `https`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns host and port, without the port if it is the default of the scheme.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if !text.contains("://") {
            return Err(OriginError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| OriginError::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OriginError::Scheme);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        let has_tail = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if has_user || has_tail {
            return Err(OriginError::Excess);
        }
        let host = url.host().ok_or(OriginError::Malformed)?;
        Ok(Self {
            scheme: url.scheme().to_owned(),
            authority: authority(&host, url.port()),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

fn authority(host: &Host<&str>, port: Option<u16>) -> String {
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_host_and_port() {
        for (text, expected) in [
            ("https://example.com", Ok("https://example.com")),
            ("https://example.com/", Ok("https://example.com")),
            ("HTTP://Example.com:80", Ok("http://example.com")),
            ("http://localhost:3000", Ok("http://localhost:3000")),
            ("http://[::1]:3000", Ok("http://[::1]:3000")),
            ("example.com", Err(OriginError::Malformed)),
            ("https://", Err(OriginError::Malformed)),
            ("", Err(OriginError::Malformed)),
            ("ftp://example.com", Err(OriginError::Scheme)),
            ("https://example.com/app", Err(OriginError::Excess)),
            ("https://example.com/?a", Err(OriginError::Excess)),
            ("https://me@example.com", Err(OriginError::Excess)),
        ] {
            let origin = text.parse::<Origin>().map(|origin| origin.to_string());
            assert_eq!(origin.as_deref(), expected.as_ref().copied(), "{text}");
        }
    }
}
