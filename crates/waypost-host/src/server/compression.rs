//! Responses that leave compressed, where the app's settings ask for it (`[server] compress`).
//!
//! `tower-http` chooses the coding and compresses; what is decided here is which responses may be. A piece
//! of a stream is flushed when the next one is not there yet, so that it does not wait for it.
//!
//! Who sees the length of encrypted responses, and has a part of them repeat what he sends, can guess a secret
//! in the same response (BREACH). Only somebody who knows the responses can tell, so compression is off
//! unless it is switched on, and one of them opts out with `Cache-Control: no-transform`.

use crate::body;
use futures::future::{Ready, ready};
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::task::{Context, Poll};
use tower_http::compression::Compression;
use tower_service::Service;
use wasmtime_wasi_http::{Error, WasiBody};

/// What is compressible beside text, and JSON and XML of all kinds.
const TYPES: [&str; 9] = [
    "application/javascript",
    "application/json",
    "application/wasm",
    "application/x-javascript",
    "application/x-ndjson",
    "application/xml",
    "font/otf",
    "font/ttf",
    "image/bmp",
];

/// What a client said of codings, and of its request as far as that matters for them.
pub(super) struct Wish(Request<()>);

impl Wish {
    /// Reads it in a request.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let mut wish = Request::new(());
        request.method().clone_into(wish.method_mut());
        for codings in request.headers().get_all(ACCEPT_ENCODING) {
            wish.headers_mut().append(ACCEPT_ENCODING, codings.clone());
        }
        Self(wish)
    }

    /// Compresses the response, if it may be and the client wishes it.
    pub(super) async fn fulfil(self, response: Response<WasiBody>) -> Response<WasiBody> {
        let is_head = self.0.method() == Method::HEAD;
        let status = response.status();
        let asks_for_coding = self.0.headers().contains_key(ACCEPT_ENCODING);
        let had_coding = response.headers().contains_key(CONTENT_ENCODING);
        let mut compression =
            Compression::new(Given(Some(response))).compress_when(is_compressible);
        let Ok(response) = compression.call(self.0).await;
        let (mut parts, body) = response.into_parts();
        // A client that refuses every coding, and none as well, gets none: what the library would make of it is
        // a 406, after the handler has done its work.
        parts.status = status;
        let is_compressed = !had_coding && parts.headers.contains_key(CONTENT_ENCODING);
        if is_compressed {
            weaken_etag(&mut parts.headers);
        }
        if status == StatusCode::NOT_MODIFIED && asks_for_coding {
            // What is stored was compressed, and its tag a weak one (RFC 9110, section 15.4.5).
            weaken_etag(&mut parts.headers);
            parts.headers.append(VARY, ACCEPT_ENCODING.into());
        }
        let body = match is_compressed && is_head {
            // It has the headers that a GET would have, and nothing compressed is not nothing.
            true => body::empty(),
            false => body.map_err(own_error).boxed_unsync(),
        };
        Response::from_parts(parts, body)
    }
}

/// A service that has one response, which is there already.
struct Given(Option<Response<WasiBody>>);

impl Service<Request<()>> for Given {
    type Response = Response<WasiBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let response = self.0.take();
        ready(Ok(response.unwrap_or_else(|| Response::new(body::empty()))))
    }
}

/// Tells whether a response may be compressed, whoever asks for it. The library itself leaves alone what has a
/// `Content-Encoding` or a `Content-Range`.
fn is_compressible(status: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let is_whole = !matches!(
        status,
        StatusCode::NO_CONTENT
            | StatusCode::RESET_CONTENT
            | StatusCode::PARTIAL_CONTENT
            | StatusCode::NOT_MODIFIED
    );
    is_whole && is_compressible_type(headers) && !forbids_transformation(headers)
}

fn is_compressible_type(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE);
    let Some(text) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let name = text.split(';').next().unwrap_or_default();
    let name = name.trim().to_ascii_lowercase();
    match name.strip_prefix("text/") {
        // Events are small, and proxies hold back what is compressed.
        Some(kind) => kind != "event-stream",
        None => {
            let is_kind_of = |suffix| name.ends_with(suffix);
            TYPES.contains(&name.as_str()) || ["+json", "+xml", "+text"].into_iter().any(is_kind_of)
        }
    }
}

/// Tells whether what is between handler and client must leave the content alone (RFC 9111, section 5.2.2.6).
fn forbids_transformation(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CACHE_CONTROL).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

/// Makes a strong `ETag` a weak one: it names the bytes of one coding (RFC 9110, section 8.8.3.3).
fn weaken_etag(headers: &mut HeaderMap) {
    let Some(etag) = headers
        .get(ETAG)
        .filter(|etag| etag.as_bytes().starts_with(b"\""))
    else {
        return;
    };
    let weak = [b"W/", etag.as_bytes()].concat();
    if let Ok(weak) = HeaderValue::from_bytes(&weak) {
        headers.insert(ETAG, weak);
    }
}

/// Takes the error of a body out of the library's, which has few of its own.
fn own_error(error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast() {
        Ok(error) => *error,
        Err(_) => Error::HttpResponseContentCoding(None),
    }
}

#[cfg(test)]
mod tests;
