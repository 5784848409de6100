//! Calls handlers with in-memory HTTP requests, on Spin and on Waypost's host.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::wit_future;

#[cfg(feature = "cache")]
mod with_cache;

use super::{Inbound, failure, new_id, respond};
use crate::instance::{handler_failed, trusted_headers};
use crate::{Answer, Destination, Forwarded, Forwarding, Headers};

/// Answers a request, or forwards it to its handler and returns the handler's response.
///
/// A failure becomes a 500.
///
/// # Errors
///
/// Only if that 500 can't be built.
#[cfg(not(feature = "cache"))]
pub async fn handle(routes: &str, request: Request) -> Result<Response, ErrorCode> {
    match dispatch(routes, request).await {
        Ok(response) => Ok(response),
        Err(answer) => respond(answer),
    }
}

/// Sends the request to its handler. An `Err` is a response that the router sends itself.
#[cfg(not(feature = "cache"))]
async fn dispatch(routes: &str, request: Request) -> Result<Response, Answer> {
    let forwarded = Inner::of(&request, routes)?;
    forwarded.forward(request).await
}

/// Answers a request from the cache, or forwards it to its handler and returns the handler's response.
///
/// `policies` and `versions` are those of [`CachedRoutes::parse`](crate::cache::CachedRoutes::parse). A failure becomes a
/// 500.
///
/// # Errors
///
/// Only if that 500 can't be built.
#[cfg(feature = "cache")]
pub async fn handle(
    routes: &str,
    policies: &str,
    versions: Option<&str>,
    request: Request,
) -> Result<Response, ErrorCode> {
    let forwarded = match Inner::of(&request, routes) {
        Ok(forwarded) => forwarded,
        Err(answer) => return respond(answer),
    };
    let response = match with_cache::instance(routes, policies, versions) {
        Some(cache) => with_cache::answer(&cache, request, forwarded).await,
        None => forwarded.forward(request).await,
    };
    match response {
        Ok(response) => Ok(response),
        Err(answer) => respond(answer),
    }
}

/// A request on its way to a handler.
struct Inner {
    inbound: Inbound,
    destination: &'static Destination,
    forwarded: Forwarded<Headers>,
}

impl Inner {
    /// Finds the handler of a request, and computes its headers. An `Err` is a response that the router sends itself.
    fn of(request: &Request, routes: &str) -> Result<Self, Answer> {
        let mut inbound = Inbound::of(request);
        let destination = inbound.destination(request, routes)?;
        let scheme = match request.get_scheme() {
            Some(Scheme::Https) => "https",
            _ => "http",
        };
        let authority = request.get_authority();
        let forwarding = Forwarding {
            scheme,
            authority: authority
                .as_deref()
                .filter(|authority| !authority.is_empty()),
            new_id: &new_id,
            trusted: trusted_headers(),
        };
        let headers = std::mem::take(&mut inbound.headers);
        let forwarded = forwarding.apply(headers).map_err(Answer::bad_request)?;
        Ok(Self {
            inbound,
            destination,
            forwarded,
        })
    }

    /// Sends the request to its handler. An `Err` is a response that the router sends itself.
    async fn forward(&self, request: Request) -> Result<Response, Answer> {
        let (destination, id) = (self.destination, &self.forwarded.id);
        let headers = &self.forwarded.headers;
        let response = match internal_request(request, &self.inbound, destination, headers) {
            Ok(internal) => client::send(internal).await,
            Err(code) => Err(code),
        };
        let named = match response {
            Ok(response) => failure::with_request_id(response, id, destination).await,
            Err(code) => Err(code),
        };
        named.map_err(|code| handler_failed(id, destination, code))
    }
}

/// Builds the request for the handler. The body's stream and trailers are passed on unchanged.
fn internal_request(
    request: Request,
    inbound: &Inbound,
    destination: &Destination,
    headers: &Headers,
) -> Result<Request, ErrorCode> {
    let refused = |_| ErrorCode::HttpRequestUriInvalid;
    let headers = Fields::from_list(headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let method = request.get_method();
    let (_, result) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, result);
    let (internal, _sent) = Request::new(headers, Some(body), trailers, None);
    internal
        .set_method(&method)
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    internal.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    internal
        .set_authority(Some(&destination.authority()))
        .map_err(refused)?;
    internal
        .set_path_with_query(Some(&inbound.target))
        .map_err(refused)?;
    Ok(internal)
}
