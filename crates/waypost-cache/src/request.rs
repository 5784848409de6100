//! [`Request`]: the parts of a request that a cache looks at, and [`Sealed`]: those that a cached run may see.
//!
//! Invariant: everything that a sealed run sees is in the [`Key`](crate::Key), so that requests with equal keys are equal
//! for the handler.

use waypost_routing::Path;

use crate::{Policy, escape};

/// The parts of a client's request that the cache looks at.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The public scheme, `http` or `https`.
    pub scheme: &'a str,
    /// The public authority: a host, and a port if the client sent one.
    pub authority: &'a str,
    /// The normalised path.
    pub path: &'a Path,
    /// The query without its `?`, as the client sent it.
    pub query: Option<&'a str>,
    /// Returns the value of a header by its lowercase name, or `None` if the request does not have it. Several lines are
    /// joined with `, `.
    pub header: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

/// What a sealed run of a handler may see of a request, in canonical form.
///
/// Equivalent spellings of a request share an entry of the cache. The handler must therefore not see the client's
/// spelling: otherwise one client could choose what all others get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The scheme in lower case.
    pub scheme: String,
    /// The authority in lower case, without the default port of the scheme.
    pub authority: String,
    /// The path, escaped as [`Path`] displays it.
    pub path: String,
    /// The query with only the policy's parameters, sorted by name, or `None` if none of them was sent.
    pub query: Option<String>,
}

impl Sealed {
    /// Returns path and query as the target of a request.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Computes what a sealed run of a route with this policy sees. [`keeps_header`] tells which request headers stay.
    pub fn new(request: &Request<'_>, policy: &Policy) -> Self {
        Self {
            scheme: request.scheme.to_ascii_lowercase(),
            authority: canonical_authority(request.scheme, request.authority),
            path: request.path.to_string(),
            query: sealed_query(request.query, policy.query()),
        }
    }
}

/// Returns `true` if a sealed run sees a client's request header, given by its lowercase name. The router then adds the
/// headers that it adds to every request.
pub fn keeps_header(name: &str, policy: &Policy) -> bool {
    policy.vary().iter().any(|known| known == name)
}

/// Returns the query of a sealed run: only the declared parameters, sorted by name, or `None` if none of them was sent.
pub fn sealed_query(query: Option<&str>, declared: &[impl AsRef<str>]) -> Option<String> {
    canonical_query(&declared_pairs(query, declared))
}

/// Returns the decoded query parameters that are declared, sorted by name. Values of one name keep their order.
pub(crate) fn declared_pairs(
    query: Option<&str>,
    declared: &[impl AsRef<str>],
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let query = query.filter(|_| !declared.is_empty()).unwrap_or_default();
    let is_declared = |name: &[u8]| {
        let mut known = declared.iter().map(|known| known.as_ref().as_bytes());
        known.any(|known| known == name)
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let declared = pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = Some(escape::decode_query(name)).filter(|name| is_declared(name))?;
        Some((name, escape::decode_query(value)))
    });
    let mut declared: Vec<_> = declared.collect();
    declared.sort_by(|(one, _), (other, _)| one.cmp(other));
    declared
}

fn canonical_query(pairs: &[(Vec<u8>, Vec<u8>)]) -> Option<String> {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        escape::encode(&mut query, name, b"");
        query.push('=');
        escape::encode(&mut query, value, b"");
    }
    (!pairs.is_empty()).then_some(query)
}

/// Returns the authority in lower case and without the default port of the scheme
/// ([RFC 3986 section 6.2.3](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.3)).
pub fn canonical_authority(scheme: &str, authority: &str) -> String {
    let mut canonical = authority.to_ascii_lowercase();
    let default = match scheme.eq_ignore_ascii_case("https") {
        true => "443",
        false => "80",
    };
    // Only an address in brackets has further colons. Any other authority with several is invalid and stays as it is.
    if let Some((host, port)) = canonical.rsplit_once(':')
        && (port.is_empty() || port == default)
        && (host.ends_with(']') || !host.contains(':'))
    {
        canonical.truncate(host.len());
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Draft;
    use waypost_routing::Resolved;

    fn policy(query: &[&str]) -> Policy {
        let query = query.iter().map(|name| (*name).to_owned()).collect();
        let vary = vec!["accept".to_owned()];
        Draft {
            query,
            vary,
            ..Draft::default()
        }
        .check(&[])
        .unwrap()
    }

    #[test]
    fn only_declared_parameters_stay() {
        let policy = policy(&["page", "q", "ü"]);
        for (query, expected) in [
            ("", None),
            ("x=1", None),
            ("&&", None),
            ("page=2&x=1&q=a", Some("page=2&q=a")),
            ("q=b&page=2&q=a", Some("page=2&q=b&q=a")),
            ("q", Some("q=")),
            ("q=a=b", Some("q=a%3Db")),
            ("%71=a+b%20c", Some("q=a%20b%20c")),
            ("q=%zz", Some("q=%25zz")),
            ("%C3%BC=%ff", Some("%C3%BC=%FF")),
            ("Q=1&q%00=1&=1", None),
        ] {
            assert_eq!(
                sealed_query(Some(query), policy.query()).as_deref(),
                expected,
                "{query}"
            );
        }
        assert_eq!(sealed_query(Some("page=1"), &[""; 0]), None);
    }

    #[test]
    fn authorities_are_canonical() {
        for (scheme, authority, expected) in [
            ("http", "A.example", "a.example"),
            ("http", "a.example:80", "a.example"),
            ("HTTPS", "a.example:443", "a.example"),
            ("https", "a.example:80", "a.example:80"),
            ("http", "a.example:", "a.example"),
            ("http", "[::1]:80", "[::1]"),
            ("http", "[::80]", "[::80]"),
            ("http", "", ""),
            ("http", "a::80", "a::80"),
            ("http", ":80", ""),
        ] {
            assert_eq!(
                canonical_authority(scheme, authority),
                expected,
                "{authority}"
            );
        }
    }

    #[test]
    fn a_sealed_run_sees_the_canonical_spelling() {
        let Ok(Resolved::Path(path)) = Path::resolve("/%61/b%2fc") else {
            panic!("the path is normal")
        };
        let request = Request {
            method: "GET",
            scheme: "HTTPS",
            authority: "Example.com:443",
            path: &path,
            query: Some("x=1"),
            header: &|_| None,
        };
        let expected = Sealed {
            scheme: "https".to_owned(),
            authority: "example.com".to_owned(),
            path: "/a/b%2Fc".to_owned(),
            query: None,
        };
        assert_eq!(Sealed::new(&request, &policy(&["page"])), expected);
    }

    #[test]
    fn only_declared_headers_stay() {
        let policy = policy(&[]);
        assert!(keeps_header("accept", &policy));
        for name in ["cookie", "authorization", "accept-language", "user-agent"] {
            assert!(!keeps_header(name, &policy), "{name}");
        }
    }
}
