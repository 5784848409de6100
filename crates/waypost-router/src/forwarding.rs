//! What a request carries from the client to a handler.
//!
//! Invariant: whatever the inside believes about a request (its public URL, its id) was set here.
//! A client can't: its headers of those names are left out at the door.

use http::header::{CONNECTION, HOST, HeaderName};
use http::uri::Authority;

use crate::Fields;

/// The scheme that the client came by, for handlers.
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The authority that the client asked for, for handlers.
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The id of a request, for handlers, and for the client of a 500.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers that belong to one connection (RFC 9110 section 7.6.1), and those that WASI forbids for the
/// same reason.
const OF_THE_CONNECTION: [&str; 9] = [
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

/// Headers that only the inside may set: what a proxy, Spin or Waypost says of a request.
const OF_THE_INSIDE: [&str; 2] = ["forwarded", "x-request-id"];

/// The beginnings of further headers that only the inside may set.
const PREFIXES_OF_THE_INSIDE: [&str; 3] = ["spin-", "x-forwarded-", "x-waypost-"];

/// Tells whether a header, by its name in lower case, belongs to one connection: it never goes on.
pub fn is_of_the_connection(name: &str) -> bool {
    OF_THE_CONNECTION.contains(&name)
}

/// Tells whether only the inside may set a header, by its name in lower case: a client's is left out.
///
/// This is the one place that decides it, for the router and for a host's door.
pub fn is_of_the_inside(name: &str) -> bool {
    OF_THE_INSIDE.contains(&name)
        || PREFIXES_OF_THE_INSIDE
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// How the addresses of the inside end.
const INSIDE: &[u8] = b".spin.internal";

/// Tells whether a request names an address of the inside, `<id>.spin.internal`: in a composition nothing has one,
/// and a handler would take the client for its router.
pub fn is_for_the_inside(authority: Option<&str>, headers: &impl Fields) -> bool {
    let is_inside = |authority: &str| {
        // A user may stand before it, `user:word@host`, and has colons too.
        let server = authority.rsplit('@').next().unwrap_or_default();
        let host = server.split(':').next().unwrap_or_default();
        let host = host.trim_end_matches('.').as_bytes();
        let end = host.len().saturating_sub(INSIDE.len());
        host[end..].eq_ignore_ascii_case(INSIDE)
    };
    // Hosts differ in what they make of `Host`.
    authority.is_some_and(is_inside) || headers.text(&HOST).is_some_and(is_inside)
}

/// The environment variable of a router with the names of headers of the inside that its host vouches for, separated
/// by commas: a client can't set it, as it can set headers.
pub const TRUSTED_HEADERS: &str = "WAYPOST_TRUSTED_HEADERS";

/// Reads what [`TRUSTED_HEADERS`] says.
pub fn trusted_headers(names: &str) -> Vec<String> {
    names
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

/// What the router knows of a request beside its headers, and whom it trusts.
pub struct Forwarding<'a> {
    /// The scheme by which the client came, `http` or `https`.
    pub scheme: &'a str,
    /// The authority of the request itself, where the host tells one.
    pub authority: Option<&'a str>,
    /// Makes an id for a request that has none.
    pub new_id: &'a dyn Fn() -> String,
    /// The names of headers of the inside that come from someone trusted, a proxy or the host, and
    /// so are kept.
    pub trusted: &'a [String],
}

/// What a handler gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded<F> {
    /// The headers.
    pub headers: F,
    /// The id of the request.
    pub id: String,
}

impl Forwarding<'_> {
    /// Makes the headers that a handler gets: those of the client that may pass, and the public
    /// scheme and authority in `x-forwarded-proto` and `x-forwarded-host`, and `x-request-id`.
    ///
    /// # Errors
    ///
    /// A text for the client (a 400) where the request has no valid authority, or several.
    pub fn apply<F: Fields>(&self, mut headers: F) -> Result<Forwarded<F>, &'static str> {
        let authority = self.public_authority(&headers)?;
        let listed = listed_in_connection(&headers);
        let trusted = |name: &str| self.trusted.iter().any(|trusted| trusted == name);
        headers.retain(|name| {
            trusted(name) || !(is_stripped(name) || listed.iter().any(|listed| listed == name))
        });
        set_unless_there(&mut headers, &X_FORWARDED_PROTO, || {
            Some(self.scheme.to_owned())
        });
        set_unless_there(&mut headers, &X_FORWARDED_HOST, || authority);
        set_unless_there(&mut headers, &X_REQUEST_ID, || Some((self.new_id)()));
        let id = headers.text(&X_REQUEST_ID).unwrap_or_default().to_owned();
        Ok(Forwarded { headers, id })
    }

    /// Returns the authority that the client asked for: the one that the host tells, or else `Host`.
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

/// `Host` has its place in the authority.
fn is_stripped(name: &str) -> bool {
    name == "host" || is_of_the_connection(name) || is_of_the_inside(name)
}

/// Returns the names that `Connection` declares to be for one connection only.
fn listed_in_connection(headers: &impl Fields) -> Vec<String> {
    headers
        .values(&CONNECTION)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
        .collect()
}

/// What is there but is no text says nothing, and is replaced.
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

    /// Forwards a list and a map, which must not differ but in their order.
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
    fn addresses_of_the_inside_are_known() {
        let host = |host| is_for_the_inside(None, &headers(&[("Host", host)]));
        assert!(host("a.spin.internal") && host("A.SPIN.internal.:80"));
        assert!(host("u:p@a.spin.internal:80") && host("u@v@a.spin.internal"));
        assert!(is_for_the_inside(
            Some("a.spin.internal"),
            &headers(&[("host", "b")])
        ));
        assert!(!host("example.com") && !host("spin.internal.example.com"));
    }

    #[test]
    fn nothing_of_the_inside_comes_from_a_client() {
        let sent = [
            ("host", "public.example:3000"),
            ("X-Forwarded-Host", "evil.example"),
            ("x-forwarded-for", "1.2.3.4"),
            ("Forwarded", "for=1.2.3.4"),
            ("Spin-Full-Url", "http://evil.example"),
            ("x-request-id", "forged"),
            ("x-waypost-cache", "HIT"),
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
        ];
        let forwarded = forward(&["x-request-id", "x-forwarded-host"], &sent).unwrap();
        let expected = headers(&[
            ("x-forwarded-host", "public.example"),
            ("x-request-id", "7"),
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
    fn a_trusted_header_that_is_no_text_is_replaced() {
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
    fn a_bad_authority_is_a_bad_request() {
        for host in ["", "a b", "a/b", "user@example.com", "a:b:c"] {
            assert!(forward(&[], &[("host", host)]).is_err(), "{host:?}");
        }
        assert!(forward(&[], &[("host", "a"), ("Host", "a")]).is_err());
        assert!(forward(&[], &[]).is_ok());
        assert!(forward(&[], &[("host", "[::1]:3000")]).is_ok());
    }
}
