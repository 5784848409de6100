//! Headers that stay at the door.
//!
//! A client must not be able to say what the host or the router says to handlers: the recurring hole of
//! this field is an internal marker that a client can send. Which headers these are, `waypost-router`
//! decides alone.

use http::header::{CONNECTION, HeaderMap, HeaderName};
use waypost_router::{is_hop_by_hop, is_reserved};

/// The address of the client, for components.
pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The port that the client came to, for components.
pub(crate) const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Names of what this host sets at the door, for the environment of the component that stands there: so
/// that it can tell them from what a client sent, as it could not on another host.
pub(crate) const VOUCHED_FOR: &str = "x-forwarded-for,x-forwarded-port,x-request-id";

/// Removes what a client may not say to a component.
pub(crate) fn strip_request(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_where(headers, |name| is_hop_by_hop(name) || is_reserved(name));
}

/// Removes what concerns one connection, with the fields that `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_where(headers, is_hop_by_hop);
}

fn remove_named_by_connection(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
}

fn remove_where(headers: &mut HeaderMap, is_removed: impl Fn(&str) -> bool) {
    let names = headers.keys().filter(|name| is_removed(name.as_str()));
    for name in names.cloned().collect::<Vec<_>>() {
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
