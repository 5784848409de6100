//! The router as a WASI 0.3 component.
//!
//! What goes to a handler, and how, is told by the module that is built: `chained`, or `composed`.

#[cfg(not(feature = "composed"))]
pub mod chained;
#[cfg(feature = "composed")]
pub mod composed;
#[cfg(not(feature = "composed"))]
mod failure;

pub use wasip3;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use wasip3::random::random::get_random_u64;
use wasip3::{wit_future, wit_stream};

use crate::instance::router;
use crate::{Answer, Destination, Headers};

/// What the router reads of a request.
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

    /// Decides about the request; an `Err` is what the router answers by itself.
    fn destination(&self, request: &Request, routes: &str) -> Result<&'static Destination, Answer> {
        // It counts for `*` alone, and it is one more thing to ask the host.
        let method = match self.target.as_str() {
            "*" => request.get_method(),
            _ => Method::Get,
        };
        let router = router(routes, new_id)?;
        router.destination(method_name(&method), &self.target, &self.headers)
    }
}

/// Makes the response of an answer. One to HEAD has its body too: hosts check its length, and it is the
/// host that leaves it out.
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
            // What a client that went away did not read is of no use to anyone.
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

/// Makes an id for a request, where the host gives none.
fn new_id() -> String {
    format!("{:016x}", get_random_u64())
}
