//! Handlers are linked into one component with the router: for any host of WASI HTTP.
//!
//! The request goes to its handler whole, as the host made it; so a handler learns the public URL from the
//! request itself.

use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_future;

use super::{Inbound, new_id, respond};
use crate::fields::lower;
use crate::instance::{BAD_HOST, failed};
use crate::{Answer, Headers, is_for_the_inside, is_of_the_inside};

/// Answers a request, or hands it over to its handler and passes on what that answers.
///
/// `call` reaches a handler by the id of its component; it gives nothing where there is none of that id.
///
/// # Errors
///
/// None of its own: what fails becomes a 500.
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

/// Hands the request over; an `Err` is what the router answers by itself.
async fn dispatch(
    routes: &str,
    request: Request,
    call: impl AsyncFnOnce(&str, Request) -> Option<Result<Response, ErrorCode>>,
) -> Result<Response, Answer> {
    let inbound = Inbound::of(&request);
    if is_for_the_inside(request.get_authority().as_deref(), &inbound.headers) {
        return Err(Answer::bad_request(BAD_HOST));
    }
    let destination = inbound.destination(&request, routes)?;
    let response = match without_headers_of_the_inside(request, inbound) {
        Ok(request) => call(destination.component(), request).await,
        Err(code) => Some(Err(code)),
    };
    let response = response.unwrap_or(Err(ErrorCode::DestinationNotFound));
    response.map_err(|code| failed(&new_id(), destination, code))
}

/// Takes off what only the inside may say. Hardly any request has it: the others stay as they are.
fn without_headers_of_the_inside(request: Request, inbound: Inbound) -> Result<Request, ErrorCode> {
    let passes = |name: &str| !is_of_the_inside(&lower(name));
    if inbound.headers.iter().all(|(name, _)| passes(name)) {
        return Ok(request);
    }
    let kept: Headers = inbound
        .headers
        .into_iter()
        .filter(|(name, _)| passes(name))
        .collect();
    let headers = Fields::from_list(&kept)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
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
