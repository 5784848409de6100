//! The request of a sealed run: it has only what is in the key of its response.

use super::revalidate::REVALIDATE;
use super::route::CachedRoute;
use crate::request::body;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use http::{Method, Request, Uri};
use wasmtime_wasi_http::WasiBody;
use waypost_cache::internal::{REDUCED, X_WAYPOST_FILL};
use waypost_cache::request::keeps_header;
use waypost_cache::{Key, Sealed, Unstorable};
use waypost_router::X_REQUEST_ID;
use waypost_routing::{Path, Resolved};

const FILL: HeaderName = HeaderName::from_static(X_WAYPOST_FILL);
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const ONE: HeaderValue = HeaderValue::from_static("1");

/// The identity of a response.
pub(super) struct Identity {
    pub(super) key: Key,
    path: Path,
}

/// The identity of a response, and the request that asks a handler for it.
pub(super) struct SealedRequest {
    pub(super) key: Key,
    pub(super) path: Path,
    target: Uri,
    headers: HeaderMap,
}

impl Identity {
    /// Computes the identity of the response to a request, as the router forwards it.
    ///
    /// # Errors
    ///
    /// The reason why the request can't be answered from the cache.
    pub(super) fn of<B>(request: &Request<B>, route: &CachedRoute) -> Result<Self, Unstorable> {
        let Ok(Resolved::Path(path)) = Path::resolve(request.uri().path()) else {
            // The router does not forward such a path, and a component that does sees no cached response.
            return Err(Unstorable::PathTooLong);
        };
        let key = with_seen(request, &path, |seen| {
            Key::new(seen, &route.id(), &route.policy)
        })?;
        Ok(Self { key, path })
    }
}

/// Calls `use_it` with the parts of a request that the cache looks at.
fn with_seen<B, T>(
    request: &Request<B>,
    path: &Path,
    use_it: impl FnOnce(&waypost_cache::Request<'_>) -> T,
) -> T {
    let (uri, headers) = (request.uri(), request.headers());
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let authority = uri.authority().map_or("", Authority::as_str);
    let scheme = text(&X_FORWARDED_PROTO).or(uri.scheme_str());
    use_it(&waypost_cache::Request {
        method: request.method().as_str(),
        scheme: scheme.unwrap_or("http"),
        authority: text(&X_FORWARDED_HOST).unwrap_or(authority),
        path,
        query: uri.query(),
        header: &|name| joined(headers, name),
    })
}

impl SealedRequest {
    /// Reduces a request to what its key consists of. Returns `None` if that is not a valid request.
    pub(super) fn new<B>(
        request: &Request<B>,
        identity: Identity,
        route: &CachedRoute,
    ) -> Option<Self> {
        let Identity { key, path } = identity;
        let sealed = with_seen(request, &path, |seen| Sealed::new(seen, &route.policy));
        let is_forwarded = request.headers().contains_key(X_FORWARDED_HOST);
        let target = target(request.uri(), &sealed, is_forwarded)?;
        let headers = sealed_headers(request.headers(), &target, &sealed, route);
        Some(Self {
            key,
            path,
            target,
            headers,
        })
    }

    /// Makes the request for the handler.
    pub(super) fn request(&self) -> Request<WasiBody> {
        let mut request = Request::new(body::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Returns the values of a header, joined by commas, or `None` if the request does not have it.
fn joined(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let mut lines = headers.get_all(name).into_iter();
    let mut joined = lines.next()?.as_bytes().to_vec();
    for line in lines {
        joined.extend(b", ");
        joined.extend(line.as_bytes());
    }
    Some(joined)
}

/// Returns the target of a sealed run. The authority is that of the component if the router forwards the request, and
/// otherwise the client's, in canonical form.
fn target(uri: &Uri, sealed: &Sealed, is_forwarded: bool) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    if !is_forwarded {
        parts.authority = Some(sealed.authority.parse().ok()?);
    }
    parts.path_and_query = Some(PathAndQuery::try_from(sealed.target()).ok()?);
    Uri::from_parts(parts).ok()
}

/// Keeps the headers of the policy, and sets those that the router sets, without the client's address.
fn sealed_headers(
    headers: &HeaderMap,
    target: &Uri,
    sealed: &Sealed,
    route: &CachedRoute,
) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in headers.keys() {
        // In the form that the key has.
        if keeps_header(name.as_str(), &route.policy)
            && let Some(value) = joined(headers, name.as_str())
            && let Ok(value) = HeaderValue::from_bytes(value.trim_ascii())
        {
            kept.insert(name.clone(), value);
        }
    }
    if let Some(id) = headers.get(X_REQUEST_ID) {
        // For the log. A response that repeats it is stored without it.
        kept.insert(X_REQUEST_ID, id.clone());
    }
    let host = target.authority().map(Authority::to_string);
    let host = host.filter(|_| headers.contains_key(HOST));
    let texts = [
        (HOST, &host.unwrap_or_default()),
        (X_FORWARDED_PROTO, &sealed.scheme),
        (X_FORWARDED_HOST, &sealed.authority),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        if let Ok(value) = HeaderValue::try_from(text) {
            kept.insert(name, value);
        }
    }
    kept.insert(FILL, HeaderValue::from_static(REDUCED));
    kept.insert(REVALIDATE, ONE);
    kept
}
