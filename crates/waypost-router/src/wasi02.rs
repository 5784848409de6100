//! The router as a WASI 0.2 component.
//!
//! What goes to a handler, and how, is told by the module that is built: `chained`, or `composed`.

#[cfg(not(feature = "composed"))]
pub mod chained;
#[cfg(feature = "composed")]
pub mod composed;

pub use wasip2;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::random::random::get_random_u64;
#[cfg(feature = "composed")]
pub use wit_bindgen;

use crate::instance::router;
use crate::{Answer, Destination, Headers};

/// How much of a body a stream of WASI 0.2 takes at once.
const MOST_AT_ONCE: usize = 4096;

/// What the router reads of a request.
struct Inbound {
    method: Method,
    target: String,
    headers: Headers,
}

impl Inbound {
    fn of(request: &IncomingRequest) -> Self {
        Self {
            method: request.method(),
            target: request.path_with_query().unwrap_or_default(),
            headers: request.headers().entries(),
        }
    }

    /// Decides about the request; an `Err` is what the router answers by itself.
    fn destination(&self, routes: &str) -> Result<&'static Destination, Answer> {
        let method = method_name(&self.method);
        router(routes, new_id)?.destination(method, &self.target, &self.headers)
    }
}

/// Sends an answer of the router. One to HEAD has its body too: it is the host that leaves it out.
fn respond(answer: Answer, outparam: ResponseOutparam) {
    let mut headers: Headers = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .collect();
    if answer.status != 204 {
        let length = answer.body.len().to_string();
        headers.push(("content-length".to_owned(), length.into_bytes()));
    }
    let response = match Fields::from_list(&headers) {
        Ok(headers) => OutgoingResponse::new(headers),
        Err(error) => return fail(outparam, &error),
    };
    // Answers have valid codes, and the body is taken only here.
    let _ = response.set_status_code(answer.status);
    let body = response.body();
    ResponseOutparam::set(outparam, Ok(response));
    let Ok(body) = body else { return };
    if send(&body, answer.body.as_bytes()).is_ok() {
        // What a client that went away did not read is of no use to anyone.
        let _ = OutgoingBody::finish(body, None);
    }
}

fn send(body: &OutgoingBody, bytes: &[u8]) -> Result<(), ()> {
    let stream = body.write()?;
    bytes
        .chunks(MOST_AT_ONCE)
        .try_for_each(|chunk| stream.blocking_write_and_flush(chunk).map_err(drop))
}

fn fail(outparam: ResponseOutparam, error: &impl ToString) {
    let code = ErrorCode::InternalError(Some(error.to_string()));
    ResponseOutparam::set(outparam, Err(code));
}

fn method_name(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
}

/// Makes an id for a request, where the host gives none.
fn new_id() -> String {
    format!("{:016x}", get_random_u64())
}
