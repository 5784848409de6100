//! A request to a route with a policy: what of it counts, and what becomes of it.

use std::rc::Rc;

use waypost_cache::draft::is_draft;
use waypost_cache::internal::{REDUCED, X_WAYPOST_FILL};
use waypost_cache::request::keeps_header;
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;
use waypost_cache::{Asked, Key, Request, Sealed, Unstorable};
use waypost_routing::{Path, Resolved};

use super::noted::Digest;
use super::{CachedRoute, Platform, ResponseCache};
use crate::Headers;

/// The header with the id of a request.
const REQUEST_ID: &str = "x-request-id";

/// The parts of a client's request that the cache looks at, as the router forwards them.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The method.
    pub method: &'a str,
    /// The public scheme.
    pub scheme: &'a str,
    /// The public authority.
    pub authority: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The headers for the handler.
    pub headers: &'a Headers,
}

/// What becomes of a request.
pub enum Plan {
    /// The handler runs for this request alone, which the cache has nothing to do with.
    Run,
    /// The handler runs for this request alone, although its route has a policy. The text says why.
    Bypass(String),
    /// [`ResponseCache::answer`] answers it.
    Cached(Asking),
}

/// A request that the cache may answer.
pub struct Asking {
    pub(super) route: Rc<CachedRoute>,
    pub(super) sealed: Rc<SealedRequest>,
    pub(super) asked: Asked<Vec<u8>>,
}

/// The GET request of a sealed run. It has only what is in the key of its response.
pub struct SealedRequest {
    /// The scheme, `http` or `https`.
    pub scheme: String,
    /// The public authority in canonical form.
    pub authority: String,
    /// Path and query in canonical form.
    pub target: String,
    /// The headers of the policy, the id of the request, and the internal ones.
    pub headers: Headers,
    pub(super) key: Key,
    pub(super) digest: Digest,
    pub(super) path: Path,
}

impl SealedRequest {
    /// Returns the id of the request for which the handler runs, or nothing if it has none.
    pub fn id(&self) -> &[u8] {
        first(&self.headers, REQUEST_ID).unwrap_or_default()
    }
}

impl<P: Platform> ResponseCache<P> {
    /// Decides what becomes of a request for a component.
    pub fn plan(&self, component: &str, seen: &Seen<'_>) -> Plan {
        let Some(route) = self.routes.get(component) else {
            return Plan::Run;
        };
        let secret = self.draft_secret.as_deref();
        if is_draft(values(seen.headers, "cookie"), secret) {
            return Plan::Bypass("draft mode".to_owned());
        }
        match seal(route, seen) {
            Err(Unstorable::Method) => Plan::Run,
            Ok(_) if seen.method == "HEAD" && route.has_head => Plan::Run,
            Err(reason) => Plan::Bypass(reason.to_string()),
            Ok(sealed) => Plan::Cached(Asking {
                route: Rc::clone(route),
                sealed: Rc::new(sealed),
                asked: asked(seen),
            }),
        }
    }
}

/// Computes the identity of the response to a request, and the request for the handler.
fn seal(route: &CachedRoute, seen: &Seen<'_>) -> Result<SealedRequest, Unstorable> {
    let target = seen.target.split('#').next().unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let Ok(Resolved::Path(path)) = Path::resolve(path) else {
        // The router forwards no such path.
        return Err(Unstorable::PathTooLong);
    };
    let request = Request {
        method: seen.method,
        scheme: seen.scheme,
        authority: seen.authority,
        path: &path,
        query,
        header: &|name| joined(seen.headers, name),
    };
    let key = Key::new(&request, &route.id(), &route.policy)?;
    let sealed = Sealed::new(&request, &route.policy);
    let digest = key.digest();
    Ok(SealedRequest {
        target: sealed.target(),
        scheme: sealed.scheme,
        authority: sealed.authority,
        headers: sealed_headers(route, seen.headers),
        key,
        digest,
        path,
    })
}

/// Keeps the headers of the policy, in the form that the key has.
fn sealed_headers(route: &CachedRoute, headers: &Headers) -> Headers {
    let declared = route.policy.vary().iter();
    let declared = declared.filter(|name| keeps_header(name, &route.policy));
    let mut kept: Headers = declared
        .filter_map(|name| {
            let value = joined(headers, name)?.trim_ascii().to_vec();
            Some((name.clone(), value))
        })
        .collect();
    if let Some(id) = first(headers, REQUEST_ID) {
        // For the log. A response that repeats it is stored without it.
        kept.push((REQUEST_ID.to_owned(), id.to_vec()));
    }
    kept.push((X_WAYPOST_FILL.to_owned(), REDUCED.into()));
    kept.push((X_WAYPOST_REVALIDATE.to_owned(), b"1".to_vec()));
    kept
}

fn asked(seen: &Seen<'_>) -> Asked<Vec<u8>> {
    let lines = |name| values(seen.headers, name).map(<[u8]>::to_vec);
    Asked {
        if_match: lines("if-match").collect(),
        if_none_match: lines("if-none-match").collect(),
        range: lines("range").next().filter(|_| seen.method == "GET"),
        if_range: lines("if-range").next(),
    }
}

/// Iterates over the values of a header, given by its lowercase name.
pub(super) fn values<'h>(headers: &'h Headers, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let same = move |(known, _): &&(String, Vec<u8>)| known.eq_ignore_ascii_case(name);
    headers
        .iter()
        .filter(same)
        .map(|(_, value)| value.as_slice())
}

fn first<'h>(headers: &'h Headers, name: &'h str) -> Option<&'h [u8]> {
    values(headers, name).next()
}

/// Returns the values of a header, joined by commas, or `None` if the request does not have it.
fn joined(headers: &Headers, name: &str) -> Option<Vec<u8>> {
    let lines: Vec<_> = values(headers, name).collect();
    (!lines.is_empty()).then(|| lines.join(&b", "[..]))
}
