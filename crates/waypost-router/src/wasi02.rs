//! The router as a WASI 0.2 component.
//!
//! The feature `composed` selects how handlers are called: `chained` or `composed`.

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

/// The most bytes that a WASI 0.2 stream takes at once.
const MOST_AT_ONCE: usize = 4096;

/// The parts of a request that the router reads.
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

    /// Finds the handler of the request. An `Err` is a response that the router sends itself.
    fn destination(&self, routes: &str) -> Result<&'static Destination, Answer> {
        let method = method_name(&self.method);
        router(routes, new_id)?.destination(method, &self.target, &self.headers)
    }
}

/// Sends a response of the router. A response to HEAD has a body too, which the host removes.
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
    // This can't fail: an answer has a valid status, and the body is taken only here.
    let _ = response.set_status_code(answer.status);
    let body = response.body();
    ResponseOutparam::set(outparam, Ok(response));
    let Ok(body) = body else { return };
    if send(&body, answer.body.as_bytes()).is_ok() {
        // An error means that the client went away, and nobody needs the rest.
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

/// Generates an id for a request that has none from the host.
fn new_id() -> String {
    format!("{:016x}", get_random_u64())
}
