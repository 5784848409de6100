//! An address to listen on, as it is typed: `127.0.0.1:3000`, `localhost:3000`, `[::1]:0`.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use crate::failure::Failure;

const EXPECTED: &str = "write an address and a port, as 127.0.0.1:3000 or localhost:3000";

/// An address or a host name, with a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Address(SocketAddr),
    Name { host: String, port: u16 },
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Listen, &'static str> {
        if let Ok(address) = text.parse() {
            return Ok(Listen::Address(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or(EXPECTED)?;
        let port = port.parse().map_err(|_| EXPECTED)?;
        match is_name(host) {
            true => Ok(Listen::Name {
                host: host.to_owned(),
                port,
            }),
            false => Err(EXPECTED),
        }
    }
}

impl Listen {
    /// Returns the address to bind. If a name has several, loopback addresses come first, and IPv4 before IPv6: a
    /// client that is given `localhost` and supports one of the two tries that.
    ///
    /// # Errors
    ///
    /// When the name has no address.
    pub fn resolve(&self) -> Result<SocketAddr, Failure> {
        let (host, port) = match self {
            Listen::Address(address) => return Ok(*address),
            Listen::Name { host, port } => (host.as_str(), *port),
        };
        let unknown = |reason: String| {
            Failure::new(format!("`{host}` has no address: {reason}")).hint(
                "`--listen 127.0.0.1:3000` serves this machine, `0.0.0.0:3000` the network too",
            )
        };
        let found = (host, port)
            .to_socket_addrs()
            .map_err(|error| unknown(error.to_string()))?;
        found
            .min_by_key(|address| (!address.ip().is_loopback(), address.is_ipv6()))
            .ok_or_else(|| unknown("none was found".to_owned()))
    }
}

/// Returns whether the text is a host name by RFC 1123; `_` is allowed too, because some networks use it.
fn is_name(host: &str) -> bool {
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !host.is_empty() && host.bytes().all(is_of_a_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        for text in ["127.0.0.1:3000", "[::1]:0", "0.0.0.0:80"] {
            let parsed: Listen = text.parse().unwrap();
            assert_eq!(parsed, Listen::Address(text.parse().unwrap()));
        }
        let name = Listen::Name {
            host: "localhost".to_owned(),
            port: 0,
        };
        assert_eq!("localhost:0".parse(), Ok(name));
        for text in [
            "",
            "localhost",
            ":3000",
            "localhost:x",
            "a b:1",
            "::1:3",
            "http://a:1",
            "a:65536",
        ] {
            assert_eq!(text.parse::<Listen>(), Err(EXPECTED), "{text}");
        }
    }

    #[test]
    fn localhost_is_this_machine() {
        let address = "localhost:0".parse::<Listen>().unwrap().resolve().unwrap();
        assert!(address.ip().is_loopback(), "{address}");
        let unknown = "no-such-host.invalid:1".parse::<Listen>().unwrap();
        assert!(unknown.resolve().is_err());
    }
}
