//! The requests to the data cache of the host.

use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use waypost_cache::Life;
use waypost_cache::data::{
    AUTHORITY, REVALIDATIONS, X_WAYPOST_FRESH, X_WAYPOST_LEASE, lease_path, value_path,
};
use waypost_cache::internal::{
    X_WAYPOST_LIFE, X_WAYPOST_TAGS, parse_life, parse_tags, write_life, write_tags,
};
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;
use waypost_cache::tag::TagError;

use super::Entry;
use super::scope;
use crate::body::Bytes;
use crate::{Body, sys};

/// What the host has for a key.
pub(crate) enum Found {
    /// The value. With a lease it is stale, and this caller should refresh it.
    Value(Bytes, Option<Lease>),
    /// Nothing. With a lease, this caller should store a value.
    Nothing(Option<Lease>),
}

/// Asks the host for a value. What is being made of it gets its tags and life, also if the value is not there.
pub(crate) async fn find(entry: &Entry) -> Found {
    scope::note(&entry.tags, entry.life);
    if !sys::has_data_cache() {
        return Found::Nothing(None);
    }
    let Some(mut request) = request(Method::GET, &value_path(&entry.key), Body::empty()) else {
        return Found::Nothing(None);
    };
    if let Err(error) = describe(&mut request, &entry.tags, entry.life) {
        sys::warn(&format!("a value is not cached: {error}"));
        return Found::Nothing(None);
    }
    if scope::is_active() {
        set(&mut request, X_WAYPOST_FRESH, "1");
    }
    let Ok(response) = sys::send(request).await else {
        return Found::Nothing(None);
    };
    let text = |name: &str| {
        response
            .headers()
            .get(name)?
            .to_str()
            .ok()
            .map(str::to_owned)
    };
    let lease = text(X_WAYPOST_LEASE).map(|number| Lease(Some(number)));
    if response.status() != StatusCode::OK {
        return Found::Nothing(lease);
    }
    let tags = text(X_WAYPOST_TAGS).and_then(|tags| parse_tags(&tags).ok());
    let life = text(X_WAYPOST_LIFE).and_then(|life| parse_life(&life).flatten());
    scope::note(&tags.unwrap_or_default(), life.unwrap_or(entry.life));
    match response.into_body().bytes(usize::MAX).await {
        Ok(value) => Found::Value(value, lease),
        Err(_) => Found::Nothing(lease),
    }
}

/// Tells the host what is revalidated after the head of the response was sent.
pub(crate) async fn revalidate(header: String) {
    let Some(mut request) = request(Method::POST, REVALIDATIONS, Body::empty()) else {
        return;
    };
    set(&mut request, X_WAYPOST_REVALIDATE, &header);
    let sent = sys::send(request).await;
    if !sent.is_ok_and(|response| response.status().is_success()) {
        sys::log(&format!("not revalidated: {header}"));
    }
}

/// The permission to store a value. Others may wait for it, so it is given back if it is not used.
pub(crate) struct Lease(Option<String>);

impl Lease {
    /// Stores a value, with what its [`Scope`](super::scope::Scope) found out about it.
    pub(crate) async fn store(
        mut self,
        value: Vec<u8>,
        described: Result<(Vec<String>, Life), TagError>,
    ) {
        let (tags, life) = match described {
            Ok(described) => described,
            Err(error) => return sys::warn(&format!("a value is not cached: {error}")),
        };
        let length = value.len();
        let Some(path) = self.0.as_deref().map(lease_path) else {
            return;
        };
        let Some(mut request) = request(Method::PUT, &path, Body::from(value)) else {
            return;
        };
        if let Err(error) = describe(&mut request, &tags, life) {
            return sys::warn(&format!("a value is not cached: {error}"));
        }
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
        self.0 = None;
        // The host logs why it does not store a value.
        let _ = sys::send(request).await;
    }

    /// Gives the lease back: there is no value.
    pub(crate) async fn give_back(mut self) {
        if let Some(number) = self.0.take() {
            give_back(number).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(number) = self.0.take() {
            sys::spawn(Box::pin(give_back(number)));
        }
    }
}

async fn give_back(number: String) {
    if let Some(request) = request(Method::DELETE, &lease_path(&number), Body::empty()) {
        // It also ends with the request.
        let _ = sys::send(request).await;
    }
}

fn request(method: Method, path: &str, body: Body) -> Option<Request<Body>> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = format!("http://{AUTHORITY}{path}").parse().ok()?;
    Some(request)
}

fn describe(request: &mut Request<Body>, tags: &[String], life: Life) -> Result<(), TagError> {
    if !tags.is_empty() {
        set(request, X_WAYPOST_TAGS, &write_tags(tags)?);
    }
    set(request, X_WAYPOST_LIFE, &write_life(Some(life)));
    Ok(())
}

/// Sets a header whose value has no control characters, as those of the cache.
fn set(request: &mut Request<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
}
