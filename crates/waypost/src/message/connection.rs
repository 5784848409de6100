//! Headers of one connection, which are never passed on from one message to another.

use http::HeaderMap;
#[cfg(target_arch = "wasm32")]
use http::header::HeaderName;
use http::header::{CONNECTION, HeaderValue};

/// Headers of the connection (RFC 9110 section 7.6.1), and all others that WASI lets a host forbid: a host that forbids
/// one refuses the whole message.
const OF_THE_CONNECTION: [&str; 11] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// The headers of the connection on which a message came, or is meant to be sent.
pub(crate) struct ConnectionHeaders {
    /// The names that the `Connection` header lists, in lower case.
    listed: Vec<String>,
}

impl ConnectionHeaders {
    /// Reads the values of the `Connection` header.
    pub(crate) fn of<'v>(connection: impl Iterator<Item = &'v [u8]>) -> Self {
        let names = connection.flat_map(|value| value.split(|byte| *byte == b','));
        let listed = names.map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase());
        Self {
            listed: listed.collect(),
        }
    }

    /// Returns whether a header, given by its name in lower case, belongs to the connection.
    pub(crate) fn contain(&self, name: &str) -> bool {
        OF_THE_CONNECTION.contains(&name) || self.listed.iter().any(|listed| listed == name)
    }
}

impl From<&HeaderMap> for ConnectionHeaders {
    fn from(headers: &HeaderMap) -> Self {
        let connection = headers.get_all(CONNECTION).iter();
        Self::of(connection.map(HeaderValue::as_bytes))
    }
}

#[cfg(target_arch = "wasm32")]
/// Returns headers or trailers in the form that hosts accept, without those of the connection.
pub(crate) fn passed_on(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let of_connection = ConnectionHeaders::from(headers);
    let passes = |(name, _): &(&HeaderName, &HeaderValue)| !of_connection.contain(name.as_str());
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().filter(passes).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_connection_lists() {
        let lines = [&b"close, X-Hop"[..], b"x-other"];
        let of_connection = ConnectionHeaders::of(lines.into_iter());
        for (name, belongs) in [
            ("x-hop", true),
            ("x-other", true),
            ("transfer-encoding", true),
            ("host", true),
            ("accept", false),
        ] {
            assert_eq!(of_connection.contain(name), belongs, "{name}");
        }
    }
}
