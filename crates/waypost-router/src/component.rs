//! The router as a WASI 0.3 component that reaches handlers by in-memory HTTP calls.

use std::sync::OnceLock;

pub use wasip3;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use wasip3::random::random::get_random_u64;
use wasip3::{wit_future, wit_stream};

use crate::{Answer, Decision, Destination, Forwarding, Headers, Router};

/// The environment variable with the names of headers of the inside that the host vouches for,
/// separated by commas: a client can't set it, as it can set headers.
const TRUSTED_HEADERS: &str = "WAYPOST_TRUSTED_HEADERS";

/// Answers a request, or sends it on to its handler and passes on what that answers.
///
/// `routes` is the table; it is read once for each instance.
///
/// # Errors
///
/// None of its own: what fails becomes a 500.
pub async fn handle(routes: &str, request: Request) -> Result<Response, ErrorCode> {
    static ROUTER: OnceLock<Option<Router>> = OnceLock::new();
    let router = ROUTER.get_or_init(|| {
        Router::parse(routes)
            .inspect_err(|error| eprintln!("error: {error}"))
            .ok()
    });
    let answer = match router {
        Some(router) => match dispatch(router, request).await {
            Ok(response) => return Ok(response),
            Err(answer) => answer,
        },
        None => Answer::internal_error(&new_id()),
    };
    respond(answer)
}

/// Sends the request to its handler; an `Err` is what the router answers by itself.
async fn dispatch(router: &Router, request: Request) -> Result<Response, Answer> {
    let method = request.get_method();
    let target = request.get_path_with_query().unwrap_or_default();
    let headers = request.get_headers().copy_all();
    let accept = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("accept"));
    let accept = accept.and_then(|(_, value)| std::str::from_utf8(value).ok());
    let destination = match router.route(method_name(&method), &target, accept) {
        Decision::Forward(destination) => destination,
        Decision::Answer(answer) => return Err(answer),
    };
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
    let forwarded = forwarding.apply(headers).map_err(Answer::bad_request)?;
    let inside = inside_request(request, &method, &target, destination, &forwarded.headers);
    let response = match inside {
        Ok(inside) => client::send(inside).await,
        Err(code) => Err(code),
    };
    response.map_err(|code| {
        let id = &forwarded.id;
        eprintln!("error: request {id}: the handler `{destination}` did not answer: {code}");
        Answer::internal_error(id)
    })
}

/// Makes the request that the handler gets: the body's stream and trailers go on untouched.
fn inside_request(
    request: Request,
    method: &Method,
    target: &str,
    destination: &Destination,
    headers: &Headers,
) -> Result<Request, ErrorCode> {
    let refused = |_| ErrorCode::HttpRequestUriInvalid;
    let headers = Fields::from_list(headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (_, result) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, result);
    let (inside, _sent) = Request::new(headers, Some(body), trailers, None);
    inside
        .set_method(method)
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    inside.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    inside
        .set_authority(Some(&destination.authority()))
        .map_err(refused)?;
    inside.set_path_with_query(Some(target)).map_err(refused)?;
    Ok(inside)
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

fn trusted_headers() -> &'static [String] {
    static TRUSTED: OnceLock<Vec<String>> = OnceLock::new();
    TRUSTED.get_or_init(|| {
        let names = std::env::var(TRUSTED_HEADERS).unwrap_or_default();
        names
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase())
            .collect()
    })
}
