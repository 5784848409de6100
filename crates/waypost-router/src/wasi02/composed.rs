//! Handlers are linked into one component with the router: for any host of WASI HTTP.
//!
//! The request goes to its handler whole: WASI 0.2 has no way to make one, so what a client says in the
//! headers that proxies set (`x-forwarded-*`) reaches the handler.

use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use super::{Inbound, new_id, respond};
use crate::instance::{BAD_HOST, failed};
use crate::{Answer, is_for_the_inside};

/// Answers a request, or hands it over to its handler.
///
/// `call` reaches a handler by the id of its component; where there is none of that id, it gives back what it
/// was to answer with.
pub fn handle(
    routes: &str,
    request: IncomingRequest,
    response: ResponseOutparam,
    call: impl FnOnce(&str, IncomingRequest, ResponseOutparam) -> Option<ResponseOutparam>,
) {
    let inbound = Inbound::of(&request);
    if is_for_the_inside(request.authority().as_deref(), &inbound.headers) {
        return respond(Answer::bad_request(BAD_HOST), response);
    }
    let destination = match inbound.destination(routes) {
        Ok(destination) => destination,
        Err(answer) => return respond(answer, response),
    };
    if let Some(response) = call(destination.component(), request, response) {
        let answer = failed(&new_id(), destination, "it is not linked");
        respond(answer, response);
    }
}
