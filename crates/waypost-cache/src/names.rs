//! Names of request and response headers, in lower case, that the cache treats specially.

/// Hop-by-hop headers ([RFC 9110 section 7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)): they belong to
/// one connection and are neither stored nor part of a key. The list is that of `waypost-router`, which may use this crate.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Headers that identify the client.
const PRIVATE: [&str; 3] = ["authorization", "cookie", "set-cookie"];

/// Headers that the host evaluates itself with the stored response.
const OF_THE_HOST: [&str; 9] = [
    "cache-control",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "pragma",
    "range",
];

/// Prefixes of the headers that only the host or the router may set.
const RESERVED_PREFIXES: [&str; 3] = ["spin-", "x-forwarded-", "x-waypost-"];

/// Returns `true` if a header, given by its lowercase name, belongs to one connection.
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// Returns `true` if a header, given by its lowercase name, is internal: a handler's response may have it, but no
/// client gets it. The cache's own headers are added after internal ones were removed.
pub fn is_internal(name: &str) -> bool {
    name.starts_with("x-waypost-")
}

/// Returns why a request header, given by its lowercase name, must not be part of a key, or `None` if it may be.
pub(crate) fn reason_against(name: &str) -> Option<&'static str> {
    if PRIVATE.contains(&name) {
        Some("identifies the client; a response for one client must not be cached")
    } else if is_hop_by_hop(name) || name == "trailer" {
        Some("belongs to one connection, and does not reach a handler")
    } else if name == "host" {
        Some("is part of every key already; leave it out")
    } else if OF_THE_HOST.contains(&name) {
        Some("is evaluated by the host with the cached response; leave it out")
    } else if RESERVED_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix))
    {
        Some("is reserved for the host and the router")
    } else {
        None
    }
}

/// Returns `true` if the text is a token, as the name of a header must be
/// ([RFC 9110 section 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)).
pub(crate) fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_reserved_headers_are_refused() {
        for name in [
            "cookie",
            "authorization",
            "connection",
            "te",
            "host",
            "if-none-match",
            "range",
            "x-forwarded-for",
            "x-waypost-fill",
            "spin-full-url",
        ] {
            assert!(reason_against(name).is_some(), "{name}");
        }
        for name in ["accept", "accept-language", "origin", "x-theme"] {
            assert_eq!(reason_against(name), None, "{name}");
        }
    }

    #[test]
    fn names_are_tokens() {
        assert!(is_token("accept-language") && is_token("x_1!"));
        for text in ["", "a b", "a:", "ü", "a\n", "a,b"] {
            assert!(!is_token(text), "{text:?}");
        }
    }
}
