//! Headers that stay at the door.
//!
//! The lists of this file are the only place that decides it. A client must not be able to say what the
//! host or the router says to handlers: the recurring hole of this field is an internal marker that a
//! client can send.

use http::header::{
    CONNECTION, HeaderMap, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

/// Fields that concern one connection, not the message (RFC 9110, section 7.6.1), and those that WASI
/// forbids for the same reason.
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// The address of the client, for components.
pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The port that the client came to, for components.
pub(crate) const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Names of what this host sets at the door, for the environment of the component that stands there: so
/// that it can tell them from what a client sent, as it could not on another host.
pub(crate) const VOUCHED_FOR: &str = "x-forwarded-for,x-forwarded-port,x-request-id";

/// Fields that only the inside sets: by name.
const INSIDE: [HeaderName; 2] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("forwarded"),
];

/// Fields that only the inside sets: by the beginning of their name. `spin-` is what Spin tells a
/// component of its request, `x-waypost-` is ours.
const INSIDE_PREFIXES: [&str; 3] = ["x-forwarded-", "spin-", "x-waypost-"];

/// Removes what a client may not say to a component.
pub(crate) fn strip_request(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    for name in &INSIDE {
        headers.remove(name);
    }
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            INSIDE_PREFIXES
                .iter()
                .any(|prefix| name.as_str().starts_with(prefix))
        })
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

/// Removes what concerns one connection, with the fields that `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lists = headers.get_all(CONNECTION).iter();
    lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn what_only_the_inside_sets_is_removed() {
        let mut headers = HeaderMap::new();
        for name in [
            "x-request-id",
            "forwarded",
            "x-forwarded-host",
            "x-forwarded-anything",
            "spin-full-url",
            "x-waypost-cache",
            "te",
            "connection",
            "x-hop",
            "proxy-authorization",
            "upgrade",
            "accept",
        ] {
            headers.append(name, HeaderValue::from_static("1"));
            headers.append(name, HeaderValue::from_static("2"));
        }
        headers.append(CONNECTION, HeaderValue::from_static("close, X-Hop"));
        strip_request(&mut headers);
        let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["accept"]);
    }
}
