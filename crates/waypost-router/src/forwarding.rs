//! [`Forwarding`]: the headers that a request carries from the client to a handler.
//!
//! Invariant: the headers that handlers trust (the public URL, the request id) were set here or by a trusted host. A
//! client can't set them, because its headers with these names are removed.

use std::borrow::Cow;
use std::net::SocketAddr;

use http::header::{CONNECTION, HOST, HeaderName};
use http::uri::Authority;

use crate::Fields;

/// The scheme that the client used, for handlers.
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The authority that the client requested, for handlers.
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The client's address, for handlers.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Spin's header with the address and port of its client.
const SPIN_CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// The id of a request, for handlers and in a 500 response.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Hop-by-hop headers (RFC 9110 section 7.6.1), including those that WASI forbids for the same reason.
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

/// Reserved headers: only a proxy, the host or the router may set them. Those that name a client's address are what
/// frameworks look for besides `x-forwarded-for`.
const RESERVED: [&str; 7] = [
    "client-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
    "x-request-id",
];

/// Prefixes of further reserved headers.
const RESERVED_PREFIXES: [&str; 3] = ["spin-", "x-forwarded-", "x-waypost-"];

/// Returns `true` if a header, given by its lowercase name, belongs to one connection and is never passed on.
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&&*unfolded(name))
}

/// Returns a name with `-` for each `_`: programs that read headers as CGI does can't tell the two apart, so a name like
/// `x_forwarded_for` is treated as the one that it could be taken for.
fn unfolded(name: &str) -> Cow<'_, str> {
    match name.contains('_') {
        true => name.replace('_', "-").into(),
        false => name.into(),
    }
}

/// Returns `true` if a header, given by its lowercase name, is reserved: it is removed from a client's request.
///
/// This is the only list of these headers, for the router and for hosts.
pub fn is_reserved(name: &str) -> bool {
    let name = &*unfolded(name);
    RESERVED.contains(&name)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// The suffix of internal addresses, by which components call each other.
const INTERNAL_SUFFIX: &[u8] = b".spin.internal";

/// Returns `true` if a request is addressed to an internal host, `<id>.spin.internal`.
///
/// A composition has no such hosts. A handler that sees one trusts the forwarded headers, because only its router
/// should use such an address.
pub fn names_internal_host(authority: Option<&str>, headers: &impl Fields) -> bool {
    let is_internal = |authority: &str| {
        // An authority may have a user, as in `user:word@host`, which may contain colons too.
        let server = authority.rsplit('@').next().unwrap_or_default();
        let host = server.split(':').next().unwrap_or_default();
        let host = host.trim_end_matches('.').as_bytes();
        let end = host.len().saturating_sub(INTERNAL_SUFFIX.len());
        host[end..].eq_ignore_ascii_case(INTERNAL_SUFFIX)
    };
    // Some hosts pass `Host` as the authority, some as a header, some as both.
    authority.is_some_and(is_internal) || headers.text(&HOST).is_some_and(is_internal)
}

/// The router's environment variable with the names of reserved headers that its host sets on every request, separated
/// by commas. It is an environment variable because a client can't set one.
pub const TRUSTED_HEADERS: &str = "WAYPOST_TRUSTED_HEADERS";

/// Parses the value of [`TRUSTED_HEADERS`].
pub fn trusted_headers(names: &str) -> Vec<String> {
    names
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

/// Everything needed to compute the headers for a handler, except the client's headers.
pub struct Forwarding<'a> {
    /// The scheme that the client used, `http` or `https`.
    pub scheme: &'a str,
    /// The authority of the request's target, or `None` if the host does not pass it.
    pub authority: Option<&'a str>,
    /// Generates an id for a request without one.
    pub new_id: &'a dyn Fn() -> String,
    /// The names of reserved headers that a proxy or the host sets on every request, and that are
    /// therefore kept.
    pub trusted: &'a [String],
}

/// The headers for a handler, and the request id in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded<F> {
    /// The headers.
    pub headers: F,
    /// The id of the request.
    pub id: String,
}

impl Forwarding<'_> {
    /// Computes the headers for a handler.
    ///
    /// Removes hop-by-hop and reserved headers. Adds the public scheme and authority as `x-forwarded-proto` and
    /// `x-forwarded-host`, and `x-request-id`. On Spin, adds the client's address as `x-forwarded-for`, unless a proxy sets that.
    ///
    /// # Errors
    ///
    /// A text for a 400 if the request has an invalid authority, or several.
    pub fn apply<F: Fields>(&self, mut headers: F) -> Result<Forwarded<F>, &'static str> {
        let authority = self.public_authority(&headers)?;
        let listed = listed_in_connection(&headers);
        let client = client_on_spin(&headers);
        let trusted = |name: &str| self.trusted.iter().any(|trusted| trusted == name);
        let is_imitated = |name: &str| name.contains('_') && trusted(&unfolded(name));
        headers.retain(|name| {
            let is_listed = || listed.iter().any(|listed| listed == name);
            trusted(name) || !(is_stripped(name) || is_imitated(name) || is_listed())
        });
        set_unless_there(&mut headers, &X_FORWARDED_PROTO, || {
            Some(self.scheme.to_owned())
        });
        set_unless_there(&mut headers, &X_FORWARDED_HOST, || authority);
        if !trusted(X_FORWARDED_FOR.as_str()) {
            set_unless_there(&mut headers, &X_FORWARDED_FOR, || client);
        }
        set_unless_there(&mut headers, &X_REQUEST_ID, || Some((self.new_id)()));
        let id = headers.text(&X_REQUEST_ID).unwrap_or_default().to_owned();
        Ok(Forwarded { headers, id })
    }

    /// Returns the authority that the client requested: that of the target, or else that of `Host`.
    fn public_authority(&self, headers: &impl Fields) -> Result<Option<String>, &'static str> {
        let mut hosts = headers.values(&HOST);
        let (host, another) = (hosts.next(), hosts.next());
        if another.is_some() {
            return Err("the request has several Host headers");
        }
        let host = host.map(|value| std::str::from_utf8(value).unwrap_or_default());
        let Some(authority) = self.authority.or(host) else {
            return Ok(None);
        };
        match authority.parse::<Authority>() {
            Ok(valid) if !valid.as_str().contains('@') => Ok(Some(authority.to_owned())),
            _ => Err("the request has no valid Host header"),
        }
    }
}

/// Returns the address of Spin's client. Spin adds its header after those that the client sent, so the last one is Spin's.
fn client_on_spin(headers: &impl Fields) -> Option<String> {
    let name = SPIN_CLIENT_ADDR;
    let last = headers.values(&name).last()?;
    let client: SocketAddr = std::str::from_utf8(last).ok()?.parse().ok()?;
    Some(client.ip().to_string())
}

/// Returns `true` for headers that are not passed on.
fn is_stripped(name: &str) -> bool {
    is_never_passed_on(name) || is_reserved(name)
}

/// Returns `true` for headers that no message passes on: those of one connection, and all that WASI lets a host forbid.
/// `Host` is among them, because the authority replaces it.
pub(crate) fn is_never_passed_on(name: &str) -> bool {
    name == "host" || is_hop_by_hop(name)
}

/// Returns the names that `Connection` declares as hop-by-hop.
fn listed_in_connection(headers: &impl Fields) -> Vec<String> {
    headers
        .values(&CONNECTION)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
        .collect()
}

/// Sets a field unless it has a value. A value that is not UTF-8 is replaced.
fn set_unless_there(
    headers: &mut impl Fields,
    name: &HeaderName,
    value: impl FnOnce() -> Option<String>,
) {
    if headers.text(name).is_none()
        && let Some(value) = value()
    {
        headers.set(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    /// Forwards the headers as a list and as a map, and checks that the results differ only in order.
    fn forward(
        trusted: &[&str],
        sent: &[(&str, &str)],
    ) -> Result<Forwarded<Headers>, &'static str> {
        let trusted: Vec<_> = trusted.iter().map(|name| (*name).to_owned()).collect();
        let new_id = || "new".to_owned();
        let forwarding = Forwarding {
            scheme: "http",
            authority: None,
            new_id: &new_id,
            trusted: &trusted,
        };
        let forwarded = forwarding.apply(headers(sent));
        let map = forwarding.apply(map(sent));
        let of_map = map.map(|map| Forwarded {
            headers: sorted(list(&map.headers)),
            id: map.id,
        });
        let of_list = forwarded.clone().map(|list| Forwarded {
            headers: sorted(list.headers),
            ..list
        });
        assert_eq!(of_map, of_list);
        forwarded
    }

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, value);
        }
        map
    }

    fn list(map: &HeaderMap) -> Headers {
        map.iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect()
    }

    fn sorted(mut headers: Headers) -> Headers {
        headers.sort();
        headers
    }

    #[test]
    fn internal_hosts_are_recognised() {
        let host = |host| names_internal_host(None, &headers(&[("Host", host)]));
        assert!(host("a.spin.internal") && host("A.SPIN.internal.:80"));
        assert!(host("u:p@a.spin.internal:80") && host("u@v@a.spin.internal"));
        assert!(names_internal_host(
            Some("a.spin.internal"),
            &headers(&[("host", "b")])
        ));
        assert!(!host("example.com") && !host("spin.internal.example.com"));
    }

    #[test]
    fn a_client_cannot_set_reserved_headers() {
        let sent = [
            ("host", "public.example:3000"),
            ("X-Forwarded-Host", "evil.example"),
            ("x-forwarded-for", "1.2.3.4"),
            ("Forwarded", "for=1.2.3.4"),
            ("Spin-Full-Url", "http://evil.example"),
            ("x-request-id", "forged"),
            ("x-waypost-cache", "HIT"),
            ("x_forwarded_for", "1.2.3.4"),
            ("X-Forwarded_Proto", "https"),
            ("transfer_encoding", "chunked"),
            ("x-real-ip", "1.2.3.4"),
            ("True-Client-IP", "1.2.3.4"),
            ("client_ip", "1.2.3.4"),
            ("Connection", "keep-alive, X-Private"),
            ("x-private", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("accept", "*/*"),
            ("cookie", "a=1"),
        ];
        let forwarded = forward(&[], &sent).unwrap();
        let expected = headers(&[
            ("accept", "*/*"),
            ("cookie", "a=1"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "public.example:3000"),
            ("x-request-id", "new"),
        ]);
        assert_eq!(
            forwarded,
            Forwarded {
                headers: expected,
                id: "new".to_owned()
            }
        );
    }

    #[test]
    fn trusted_headers_are_kept() {
        let sent = [
            ("host", "inside"),
            ("x-forwarded-host", "public.example"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "7"),
            ("x_request_id", "8"),
            ("x-user", "me"),
            ("x_user", "root"),
        ];
        let trusted = ["x-request-id", "x-forwarded-host", "x-user"];
        let forwarded = forward(&trusted, &sent).unwrap();
        let expected = headers(&[
            ("x-forwarded-host", "public.example"),
            ("x-request-id", "7"),
            ("x-user", "me"),
            ("x-forwarded-proto", "http"),
        ]);
        assert_eq!(
            forwarded,
            Forwarded {
                headers: expected,
                id: "7".to_owned()
            }
        );
    }

    #[test]
    fn the_client_on_spin_is_the_last_one() {
        let sent = |name: &'static str, ours: &'static str| {
            let mut sent = vec![
                ("host", "a"),
                ("x-forwarded-for", "5.6.7.8"),
                (name, "1.2.3.4:5"),
            ];
            sent.push(("spin-client-addr", ours));
            sent
        };
        let client = |trusted: &[&str], sent: &[(&str, &str)]| {
            let headers = forward(trusted, sent).unwrap().headers;
            headers.text(&X_FORWARDED_FOR).map(str::to_owned)
        };
        let ours = sent("spin-client-addr", "[::1]:443");
        assert_eq!(client(&[], &ours).as_deref(), Some("::1"));
        assert_eq!(
            client(&["x-forwarded-for"], &ours).as_deref(),
            Some("5.6.7.8")
        );
        assert_eq!(client(&[], &sent("Spin-Client-Addr", "1.2.3.4")), None);
        assert_eq!(client(&[], &[("host", "a")]), None);
        // A proxy that sets the header on every request did not.
        assert_eq!(
            client(&["x-forwarded-for"], &[("spin-client-addr", "1.2.3.4:5")]),
            None
        );
    }

    #[test]
    fn a_trusted_header_that_is_not_utf8_is_replaced() {
        let trusted = ["x-request-id".to_owned()];
        let forwarding = Forwarding {
            scheme: "http",
            authority: None,
            new_id: &|| "new".to_owned(),
            trusted: &trusted,
        };
        let forwarded = forwarding.apply(vec![("x-request-id".to_owned(), vec![0xFF])]);
        let expected = Forwarded {
            headers: headers(&[("x-forwarded-proto", "http"), ("x-request-id", "new")]),
            id: "new".to_owned(),
        };
        assert_eq!(forwarded, Ok(expected));
    }

    #[test]
    fn an_invalid_authority_is_a_bad_request() {
        for host in ["", "a b", "a/b", "user@example.com", "a:b:c"] {
            assert!(forward(&[], &[("host", host)]).is_err(), "{host:?}");
        }
        assert!(forward(&[], &[("host", "a"), ("Host", "a")]).is_err());
        assert!(forward(&[], &[]).is_ok());
        assert!(forward(&[], &[("host", "[::1]:3000")]).is_ok());
    }
}
