//! Calls handlers that are linked into the same component, for any host of WASI HTTP.
//!
//! The handler receives the request unchanged, because a WASI 0.2 component can't create an incoming request. So
//! a client's reserved headers (`x-forwarded-*`) reach the handler.

use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use super::{Inbound, new_id, respond};
use crate::instance::{BAD_HOST, handler_failed};
use crate::{Answer, names_internal_host};

/// Answers a request, or passes it to its handler.
///
/// `call` calls a handler by the id of its component. If there is no such handler, it returns the unused
/// response parameter.
pub fn handle(
    routes: &str,
    request: IncomingRequest,
    response: ResponseOutparam,
    call: impl FnOnce(&str, IncomingRequest, ResponseOutparam) -> Option<ResponseOutparam>,
) {
    let inbound = Inbound::of(&request);
    if names_internal_host(request.authority().as_deref(), &inbound.headers) {
        return respond(Answer::bad_request(BAD_HOST), response);
    }
    let destination = match inbound.destination(routes) {
        Ok(destination) => destination,
        Err(answer) => return respond(answer, response),
    };
    if let Some(response) = call(destination.component(), request, response) {
        let answer = handler_failed(&new_id(), destination, "it is not linked");
        respond(answer, response);
    }
}
