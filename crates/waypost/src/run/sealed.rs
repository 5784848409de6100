//! Sealed runs: what a handler whose response may be cached for all clients sees of a request.
//!
//! It is exactly what the key of the cache consists of, in the same canonical form: scheme, authority, path, and the
//! declared search params and headers. A component seals its runs itself, so that it answers alike on hosts without a
//! cache. Routes without a cache policy don't contain this code.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Uri};
use waypost_cache::request::{canonical_authority, sealed_query};
use waypost_routing::{Path, Resolved};

use crate::request::public_origin;
use crate::run::route::Verb;

/// What a sealed run sees of a request, besides the URL without its query.
pub struct Sealed {
    /// The names of the search params, sorted.
    pub query: &'static [&'static str],
    /// The names of the headers, in lower case.
    pub headers: &'static [&'static str],
}

impl Sealed {
    /// Creates the head that the handler of `verb` sees in place of the client's. HEAD runs the handler of GET, whose
    /// response has to be the same.
    ///
    /// If the caller may store the response (`is_reduced`), it has reduced the request already, perhaps to other names: an
    /// operator may change a policy. Then only the headers that the caller adds to every request are removed.
    pub(crate) fn head(&self, client: &Parts, verb: Verb, is_reduced: bool) -> Parts {
        let mut head = http::Request::new(()).into_parts().0;
        head.method = match verb {
            Verb::Head => Method::HEAD,
            _ => Method::GET,
        };
        if is_reduced {
            head.uri = Self::uri(client, client.uri.query().map(str::to_owned));
            head.headers = client.headers.clone();
            for name in ADDED {
                head.headers.remove(name);
            }
            let names = head.headers.keys();
            let of_spin = names.filter(|name| name.as_str().starts_with(OF_SPIN));
            for name in of_spin.cloned().collect::<Vec<_>>() {
                head.headers.remove(name);
            }
            return head;
        }
        head.uri = Self::uri(client, sealed_query(client.uri.query(), self.query));
        for name in self.headers {
            // The names were checked at compile time.
            let name = HeaderName::from_bytes(name.as_bytes()).ok();
            let value = name
                .as_ref()
                .and_then(|name| one_value(&client.headers, name));
            if let (Some(name), Some(value)) = (name, value) {
                head.headers.insert(name, value);
            }
        }
        head
    }

    /// Returns the public URL in canonical form, with this query.
    fn uri(client: &Parts, query: Option<String>) -> Uri {
        let mut target = match Path::resolve(client.uri.path()) {
            Ok(Resolved::Path(path)) => path.to_string(),
            _ => client.uri.path().to_owned(),
        };
        if let Some(query) = query {
            target.push('?');
            target.push_str(&query);
        }
        let (scheme, authority) = public_origin(client);
        let server = authority.rsplit('@').next().unwrap_or_default();
        let absolute = Uri::builder()
            .scheme(scheme)
            .authority(canonical_authority(scheme, server))
            .path_and_query(target.as_str())
            .build();
        // As everywhere, an invalid authority is ignored.
        absolute
            .or_else(|_| Uri::try_from(target))
            .unwrap_or_default()
    }
}

/// The headers that the router and the host add to every request.
const ADDED: [&str; 4] = [
    "host",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// The beginning of the headers that Spin adds to every request.
const OF_SPIN: &str = "spin-";

/// Returns the lines of a header as one, as they are in the key.
fn one_value(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    headers.get(name)?;
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let lines: Vec<_> = lines.collect();
    HeaderValue::from_bytes(lines.join(&b", "[..]).trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEALED: Sealed = Sealed {
        query: &["page", "q"],
        headers: &["accept-language"],
    };

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method("HEAD").uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_url_is_public_and_canonical() {
        let forwarded = [
            ("x-forwarded-host", "Shop.example:443"),
            ("x-forwarded-proto", "https"),
        ];
        for (uri, headers, sealed) in [
            (
                "http://a.spin.internal/%61?x=1&q=%62&page=2",
                &forwarded[..],
                "https://shop.example/a?page=2&q=b",
            ),
            ("http://u@Host:80/a?x", &forwarded, "http://host/a"),
            (
                "/a?page",
                &[("host", "B.example:81")],
                "http://b.example:81/a?page=",
            ),
            ("/a?q=1", &[("host", "a/b")], "/a?q=1"),
            ("/a", &[], "/a"),
        ] {
            let head = SEALED.head(&head(uri, headers), Verb::Get, false);
            assert_eq!(head.uri.to_string(), sealed, "{uri}");
        }
    }

    #[test]
    fn only_declared_headers_stay() {
        let client = head(
            "/",
            &[
                ("accept-language", " de"),
                ("accept-language", "en "),
                ("cookie", "a=1"),
                ("x-request-id", "1"),
            ],
        );
        let sealed = SEALED.head(&client, Verb::Get, false);
        assert_eq!(sealed.headers.len(), 1);
        assert_eq!(sealed.headers["accept-language"], "de, en");
        assert_eq!(sealed.method, Method::GET);
        assert_eq!(SEALED.head(&client, Verb::Head, false).method, Method::HEAD);
    }

    #[test]
    fn what_the_host_has_reduced_stays() {
        let forwarded = [
            ("x-forwarded-host", "shop.example"),
            ("x-request-id", "1"),
            ("spin-full-url", "http://localhost/a"),
            ("accept", "text/html"),
        ];
        let client = head("http://a.spin.internal/a?other=1", &forwarded);
        let sealed = SEALED.head(&client, Verb::Get, true);
        assert_eq!(sealed.uri, "http://shop.example/a?other=1");
        assert_eq!(sealed.headers.len(), 1);
        assert_eq!(sealed.headers["accept"], "text/html");
    }
}
