//! Compresses responses if the app's settings ask for it (`[server] compress`).
//!
//! `tower-http` chooses the encoding and compresses; this module decides which responses may be compressed. A piece of a
//! stream is flushed when the next one is not there yet, so that it does not wait.
//!
//! An attacker who sees the length of encrypted responses, and whose input a response repeats, can guess a secret in the
//! same response (BREACH). Only the app's author knows whether that applies, so compression is off by default, and a
//! response opts out with `Cache-Control: no-transform`.

use crate::app::cache::gzip::MadeOf;
use crate::request::body;
use crate::request::headers::list;
use futures::future::{Ready, ready};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY,
};
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::task::{Context, Poll};
use tower_http::compression::Compression;
use tower_service::Service;
use wasmtime_wasi_http::{Error, WasiBody};

/// Compressible types besides text, and JSON and XML of all kinds.
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

/// The encodings that a client accepts, with its method.
pub(super) struct AcceptedEncodings(Request<()>);

impl AcceptedEncodings {
    /// Reads them from a request.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let mut accepted = Request::new(());
        request.method().clone_into(accepted.method_mut());
        for codings in request.headers().get_all(ACCEPT_ENCODING) {
            accepted
                .headers_mut()
                .append(ACCEPT_ENCODING, codings.clone());
        }
        Self(accepted)
    }

    /// Compresses a response, if it may be compressed and the client accepts it.
    pub(super) async fn compress(self, mut response: Response<WasiBody>) -> Response<WasiBody> {
        let made_of = response.extensions_mut().remove::<MadeOf>();
        let is_head = self.0.method() == Method::HEAD;
        let status = response.status();
        let accepts_encoding = self.0.headers().contains_key(ACCEPT_ENCODING);
        let was_encoded = response.headers().contains_key(CONTENT_ENCODING);
        let mut compression =
            Compression::new(ReadyResponse(Some(response))).compress_when(is_compressible);
        let Ok(response) = compression.call(self.0).await;
        let (mut parts, body) = response.into_parts();
        // If the client rejects every encoding, `identity` included, the response is sent unencoded: the library would make
        // it a 406, but the handler has already run.
        parts.status = status;
        let is_compressed = !was_encoded && parts.headers.contains_key(CONTENT_ENCODING);
        if is_compressed {
            weaken_etag(&mut parts.headers);
        }
        if status == StatusCode::NOT_MODIFIED {
            // The response that the client has was compressed, with a weak tag (RFC 9110, section 15.4.5).
            let may_vary = made_of.as_ref().is_none_or(is_compressible_one);
            if accepts_encoding && may_vary {
                weaken_etag(&mut parts.headers);
            }
            // What a 304 of a handler stands for is not known, but a client without `Accept-Encoding` got it as it was.
            if may_vary && (accepts_encoding || made_of.is_some()) {
                parts.headers.append(VARY, ACCEPT_ENCODING.into());
            }
        }
        // A stored response is compressed once.
        let gzip = match made_of {
            Some(made_of) if is_compressed && !is_head && is_gzip(&parts.headers) => {
                made_of.gzip().await
            }
            _ => None,
        };
        let body = match gzip {
            // The response to HEAD has the headers of one to GET, but compressing an empty body makes bytes.
            _ if is_compressed && is_head => body::empty(),
            Some(gzip) => {
                parts.headers.insert(CONTENT_LENGTH, gzip.len().into());
                body::full(gzip)
            }
            None => body.map_err(own_error).boxed_unsync(),
        };
        Response::from_parts(parts, body)
    }
}

/// A service that returns one response, which exists already.
struct ReadyResponse(Option<Response<WasiBody>>);

impl Service<Request<()>> for ReadyResponse {
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

/// Returns whether a response may be compressed for any client. The library itself skips responses with
/// `Content-Encoding` or `Content-Range`.
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

/// Returns whether a stored response is compressed for clients that accept it.
fn is_compressible_one(stored: &MadeOf) -> bool {
    let (status, headers) = (stored.status(), stored.headers());
    let is_encoded = headers.contains_key(CONTENT_ENCODING);
    !is_encoded && is_compressible(status, Version::HTTP_11, headers, &Extensions::new())
}

fn is_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding == "gzip")
}

fn is_compressible_type(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE);
    let Some(text) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let name = text.split(';').next().unwrap_or_default();
    let name = name.trim().to_ascii_lowercase();
    match name.strip_prefix("text/") {
        // Events are small, and proxies buffer compressed responses.
        Some(kind) => kind != "event-stream",
        None => {
            let is_kind_of = |suffix| name.ends_with(suffix);
            TYPES.contains(&name.as_str()) || ["+json", "+xml", "+text"].into_iter().any(is_kind_of)
        }
    }
}

/// Returns whether intermediaries must not change the content (RFC 9111, section 5.2.2.6).
fn forbids_transformation(headers: &HeaderMap) -> bool {
    let mut directives = list(headers, &CACHE_CONTROL);
    directives.any(|directive| directive.eq_ignore_ascii_case("no-transform"))
}

/// Makes a strong `ETag` weak: a strong one identifies the bytes of one encoding (RFC 9110, section 8.8.3.3).
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

/// Returns the error of the body inside an error of the library.
fn own_error(error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast() {
        Ok(error) => *error,
        Err(_) => Error::HttpResponseContentCoding(None),
    }
}

#[cfg(test)]
mod tests;
