//! Handlers are reached by in-memory HTTP calls: on Spin and on Waypost's host.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::wit_future;

use super::{Inbound, failure, new_id, respond};
use crate::instance::{failed, trusted_headers};
use crate::{Answer, Destination, Forwarding, Headers};

/// Answers a request, or sends it on to its handler and passes on what that answers.
///
/// # Errors
///
/// None of its own: what fails becomes a 500.
pub async fn handle(routes: &str, request: Request) -> Result<Response, ErrorCode> {
    match dispatch(routes, request).await {
        Ok(response) => Ok(response),
        Err(answer) => respond(answer),
    }
}

/// Sends the request to its handler; an `Err` is what the router answers by itself.
async fn dispatch(routes: &str, request: Request) -> Result<Response, Answer> {
    let mut inbound = Inbound::of(&request);
    let destination = inbound.destination(&request, routes)?;
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
    let response = match inside_request(request, &inbound, destination, &forwarded.headers) {
        Ok(inside) => client::send(inside).await,
        Err(code) => Err(code),
    };
    let named = match response {
        Ok(response) => failure::named(response, &forwarded.id, destination).await,
        Err(code) => Err(code),
    };
    named.map_err(|code| failed(&forwarded.id, destination, code))
}

/// Makes the request that the handler gets: the body's stream and trailers go on untouched.
fn inside_request(
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
    let (inside, _sent) = Request::new(headers, Some(body), trailers, None);
    inside
        .set_method(&method)
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    inside.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    inside
        .set_authority(Some(&destination.authority()))
        .map_err(refused)?;
    inside
        .set_path_with_query(Some(&inbound.target))
        .map_err(refused)?;
    Ok(inside)
}
