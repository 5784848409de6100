//! The addresses of the servers under test.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use thiserror::Error;
use url::Url;

use crate::percent;

/// The server under test: `http://` with a host and a port. Several servers may each serve a [part](Self::part).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    address: SocketAddr,
    /// Servers for the requests below a path.
    parts: Vec<(String, SocketAddr)>,
}

/// Why a text is not a valid [`Base`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BaseError {
    /// It does not have the form `http://host:port`.
    #[error("expected a server such as `http://127.0.0.1:3000`, without a path")]
    Form,
    /// The host has no address.
    #[error("`{0}` has no address")]
    Unknown(String),
}

impl Base {
    /// Adds a server for the requests at or below a path, such as `/shop`.
    #[must_use]
    pub fn part(mut self, path: &str, server: Base) -> Base {
        self.parts.push((path.to_owned(), server.address));
        self
    }

    /// Returns the server for a message, chosen by the path in its first line.
    pub(crate) fn address(&self, message: &[u8]) -> SocketAddr {
        let path = path(message);
        let below = |part: &str| {
            let rest = path.strip_prefix(part);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let part = self.parts.iter().find(|(part, _)| below(part));
        part.map_or(self.address, |(_, address)| *address)
    }
}

/// Returns the path of a request as a router reads it: decoded, without dot segments.
#[expect(clippy::expect_used, reason = "the text is a URL")]
fn path(message: &[u8]) -> String {
    let message = message.trim_ascii_start();
    let line = message.split(|byte| *byte == b'\r').next();
    let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let target = line.split(' ').nth(1).unwrap_or_default();
    let nowhere = Url::parse("http://localhost/").expect("a URL");
    let url = nowhere.join(target).unwrap_or(nowhere);
    let decoded = percent::decode(url.path().as_bytes());
    decoded.map_or_else(
        || url.path().to_owned(),
        |path| String::from_utf8_lossy(&path).into_owned(),
    )
}

impl From<SocketAddr> for Base {
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            parts: Vec::new(),
        }
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
        // `localhost` has two addresses, and most servers listen on the IPv4 one.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses
            .first()
            .copied()
            .map(Self::from)
            .ok_or_else(unknown)
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
            assert_eq!(base.address(b"").to_string(), address, "{text}");
        }
        let base = Base::from_str("http://127.0.0.1:1").unwrap();
        let base = base.part("/shop", Base::from_str("http://127.0.0.1:2").unwrap());
        for (target, port) in [
            ("/shop", 2),
            ("/shop?a", 2),
            ("/sh%6Fp/a", 2),
            ("http://x/shop/a", 2),
            ("/shop/..", 1),
            ("/a/../shop", 2),
            ("/shopping", 1),
            ("/", 1),
            ("*", 1),
            ("http://shop", 1),
        ] {
            let message = format!("GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n");
            assert_eq!(base.address(message.as_bytes()).port(), port, "{target}");
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
