//! The router as a WASI 0.3 component.
//!
//! The feature `composed` selects how handlers are called: `chained` or `composed`. The feature `cache` adds the response
//! cache (`cached`), in a store or in the memory of the instance.

#[cfg(feature = "cache")]
mod cached;
#[cfg(not(feature = "composed"))]
pub mod chained;
#[cfg(feature = "composed")]
pub mod composed;
#[cfg(not(feature = "composed"))]
mod failure;
#[cfg(all(feature = "cache", not(feature = "composed")))]
mod store;

pub use wasip3;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use wasip3::random::random::get_random_u64;
use wasip3::{wit_future, wit_stream};

use crate::cors::is_preflight;
use crate::instance::router;
use crate::{Answer, Destination, Headers};

/// The parts of a request that the router reads.
struct Inbound {
    target: String,
    headers: Headers,
}

impl Inbound {
    fn of(request: &Request) -> Self {
        Self {
            target: request.get_path_with_query().unwrap_or_default(),
            headers: request.get_headers().copy_all(),
        }
    }

    /// Finds the handler of the request. An `Err` is a response that the router sends itself.
    fn destination(&self, request: &Request, routes: &str) -> Result<&'static Destination, Answer> {
        // The method matters only for `*` and for preflights, and reading it is a call to the host.
        let method = match self.target == "*" || is_preflight("OPTIONS", &self.headers) {
            true => request.get_method(),
            false => Method::Get,
        };
        let router = router(routes, new_id)?;
        router.destination(method_name(&method), &self.target, &self.headers)
    }
}

/// Builds the WASI response for an answer.
///
/// A response to HEAD has a body too: hosts check its length, and remove it.
fn respond(answer: Answer) -> Result<Response, ErrorCode> {
    let mut headers: Headers = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .collect();
    if answer.status != 204 {
        let length = answer.body.len().to_string();
        headers.push(("content-length".to_owned(), length.into_bytes()));
    }
    let headers = Fields::from_list(&headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (ended, trailers) = wit_future::new(|| Ok(None));
    let contents = (!answer.body.is_empty()).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wasip3::spawn(async move {
            // An error means that the client went away, and nobody needs the rest.
            drop(writer.write_all(answer.body.into_bytes()).await);
            drop(writer);
            drop(ended);
        });
        reader
    });
    let (response, _sent) = Response::new(headers, contents, trailers);
    response
        .set_status_code(answer.status)
        .map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
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
