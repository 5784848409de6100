//! The address of the server under test.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use thiserror::Error;

/// The server under test: `http://` with a host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(SocketAddr);

/// Why a text is no [`Base`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BaseError {
    /// It is not of the form `http://host:port`.
    #[error("expected a server as `http://127.0.0.1:3000`, without a path")]
    Form,
    /// The host has no address.
    #[error("`{0}` has no address")]
    Unknown(String),
}

impl Base {
    pub(crate) fn address(&self) -> SocketAddr {
        self.0
    }
}

impl From<SocketAddr> for Base {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl FromStr for Base {
    type Err = BaseError;

    fn from_str(text: &str) -> Result<Self, BaseError> {
        let authority = text.strip_prefix("http://").ok_or(BaseError::Form)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.is_empty() || authority.contains(['/', '?', '#', '@']) {
            return Err(BaseError::Form);
        }
        let with_port = match authority.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => authority.to_owned(),
            _ => format!("{authority}:80"),
        };
        let unknown = || BaseError::Unknown(authority.to_owned());
        let mut addresses: Vec<_> = with_port
            .to_socket_addrs()
            .map_err(|_| unknown())?
            .collect();
        // `localhost` has two addresses; servers mostly listen on the older one.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses.first().copied().map(Self).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases() {
        for (text, address) in [
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
            ("http://127.0.0.1:3000/", "127.0.0.1:3000"),
            ("http://127.0.0.1", "127.0.0.1:80"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            let base: Base = text.parse().unwrap();
            assert_eq!(base.address().to_string(), address, "{text}");
        }
        for text in [
            "",
            "127.0.0.1:3000",
            "https://127.0.0.1",
            "http://",
            "http://a/b",
            "http://:80:80",
        ] {
            assert!(text.parse::<Base>().is_err(), "{text}");
        }
    }
}
