//! Calls handlers that are linked into the same component, for any host of WASI HTTP.
//!
//! The handler receives the request as the host created it, without reserved headers. So it reads the public URL from
//! the request itself.

use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::wit_future;

use super::{Inbound, new_id, respond};
use crate::fields::lower;
use crate::instance::{BAD_HOST, handler_failed};
use crate::{Answer, Destination, is_reserved, names_internal_host};

#[cfg(feature = "cache")]
mod with_cache;
#[cfg(feature = "cache")]
pub use with_cache::{Tables, handle_cached};

/// Answers a request, or passes it to its handler and returns the handler's response.
///
/// `call` calls a handler by the id of its component, or returns `None` if there is no such handler. A failure becomes a
/// 500.
///
/// # Errors
///
/// Only if that 500 can't be built.
pub async fn handle(
    routes: &str,
    request: Request,
    call: impl AsyncFnOnce(&str, Request) -> Option<Result<Response, ErrorCode>>,
) -> Result<Response, ErrorCode> {
    match dispatch(routes, request, call).await {
        Ok(response) => Ok(response),
        Err(answer) => respond(answer),
    }
}

/// Passes the request to its handler. An `Err` is a response that the router sends itself.
async fn dispatch(
    routes: &str,
    request: Request,
    call: impl AsyncFnOnce(&str, Request) -> Option<Result<Response, ErrorCode>>,
) -> Result<Response, Answer> {
    let (inbound, destination) = find(routes, &request)?;
    pass(request, inbound, destination, call).await
}

/// Finds the handler of a request. An `Err` is a response that the router sends itself.
fn find(routes: &str, request: &Request) -> Result<(Inbound, &'static Destination), Answer> {
    let inbound = Inbound::of(request);
    if names_internal_host(request.get_authority().as_deref(), &inbound.headers) {
        return Err(Answer::bad_request(BAD_HOST));
    }
    let destination = inbound.destination(request, routes)?;
    Ok((inbound, destination))
}

async fn pass(
    request: Request,
    inbound: Inbound,
    destination: &Destination,
    call: impl AsyncFnOnce(&str, Request) -> Option<Result<Response, ErrorCode>>,
) -> Result<Response, Answer> {
    let response = match without_reserved_headers(request, inbound) {
        Ok(request) => call(destination.component(), request).await,
        Err(code) => Some(Err(code)),
    };
    let response = response.unwrap_or(Err(ErrorCode::DestinationNotFound));
    response.map_err(|code| handler_failed(&new_id(), destination, code))
}

/// Removes reserved headers. Few requests have any; all others are returned unchanged.
fn without_reserved_headers(request: Request, inbound: Inbound) -> Result<Request, ErrorCode> {
    let passes = |name: &str| !is_reserved(&lower(name));
    if inbound.headers.iter().all(|(name, _)| passes(name)) {
        return Ok(request);
    }
    // A copy, because a host that passes `host` in may refuse to make a list with it.
    let headers = request.get_headers().clone();
    for (name, _) in inbound.headers.iter().filter(|(name, _)| !passes(name)) {
        headers
            .delete(name)
            .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    }
    let (method, scheme) = (request.get_method(), request.get_scheme());
    let authority = request.get_authority();
    let (options, (_, result)) = (request.get_options(), wit_future::new(|| Ok(())));
    let (body, trailers) = Request::consume_body(request, result);
    let (clean, _sent) = Request::new(headers, Some(body), trailers, options);
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    clean
        .set_method(&method)
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    clean.set_scheme(scheme.as_ref()).map_err(refused)?;
    clean.set_authority(authority.as_deref()).map_err(refused)?;
    clean
        .set_path_with_query(Some(&inbound.target))
        .map_err(refused)?;
    Ok(clean)
}
