//! Headers that do not pass between a client and a component.
//!
//! A client must not be able to set the headers in which host and router talk to handlers: internal markers that a client
//! can send are a recurring vulnerability of HTTP frameworks. `waypost-router` has the one list of these headers.

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, TRAILER};
use waypost_cache::headers::is_internal;
use waypost_cache::status::X_WAYPOST_CACHE;
use waypost_router::{is_hop_by_hop, is_reserved};

/// Tells components the address of the client.
pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Tells components the port that the client connected to.
pub(crate) const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Headers that this host sets on every request. The router component receives the list, so that it can trust them.
pub(crate) const TRUSTED: &str = "x-forwarded-for,x-forwarded-port,x-request-id";

/// Removes the headers that a client may not send to a component.
pub(crate) fn strip_request(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_where(headers, |name| is_hop_by_hop(name) || is_reserved(name));
}

/// Removes the headers of a response that no client gets: those of one connection, among them those that `Connection` names,
/// and internal ones.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove_where(headers, |name| {
        is_hop_by_hop(name) || is_internal(name) && name != X_WAYPOST_CACHE
    });
}

/// Removes the internal headers of a handler's response.
pub(crate) fn strip_internal(headers: &mut HeaderMap) {
    remove_where(headers, is_internal);
}

/// Removes what may not come after a body, from either side: headers of one connection, reserved ones, and those that say
/// where a message ends or goes (RFC 9110, section 6.5.1).
pub(crate) fn strip_trailers(trailers: &mut HeaderMap) {
    let is_of_head = |name: &str| [CONTENT_LENGTH, HOST, TRAILER].iter().any(|of| of == name);
    remove_where(trailers, |name| {
        is_hop_by_hop(name) || is_reserved(name) || is_of_head(name)
    });
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
    list(headers, &CONNECTION)
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// Returns the elements of a header whose value is a comma-separated list (RFC 9110, section 5.6.1).
pub(crate) fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
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
            "x_forwarded_for",
            "x-forwarded_proto",
            "x_request-id",
            "transfer_encoding",
            "x-real-ip",
            "true-client-ip",
            "client-ip",
            "x_real_ip",
            "spin-full-url",
            "x-waypost-cache",
            "te",
            "connection",
            "x-hop",
            "proxy-authorization",
            "upgrade",
            "accept",
            "x_own",
        ] {
            headers.append(name, HeaderValue::from_static("1"));
            headers.append(name, HeaderValue::from_static("2"));
        }
        headers.append(CONNECTION, HeaderValue::from_static("close, X-Hop"));
        strip_request(&mut headers);
        let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["accept", "x_own"]);
    }

    #[test]
    fn trailers_say_nothing_about_the_message() {
        let mut trailers = HeaderMap::new();
        for name in [
            "x-forwarded-for",
            "x_forwarded_for",
            "spin-path-info",
            "x-request-id",
            "connection",
            "transfer-encoding",
            "content-length",
            "host",
            "server-timing",
        ] {
            trailers.append(name, HeaderValue::from_static("1"));
        }
        strip_trailers(&mut trailers);
        let left: Vec<&str> = trailers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["server-timing"]);
    }
}
