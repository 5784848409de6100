//! The response on its way to the client.

pub(super) mod http2;

use super::connection::progress::OpenRequest;
use crate::app::App;
use crate::app::component::LazyComponent;
use crate::instance::reply::{Origin, Reply};
use crate::request::body;
use crate::request::context::RequestContext;
use crate::request::failure::Failure;
use crate::request::head::announced_length;
use crate::request::headers::{strip_response, strip_trailers};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http2::StreamBody;
use hyper::ext::ReasonPhrase;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use wasmtime_wasi_http::{Error, WasiBody};
use waypost_router::X_REQUEST_ID;

/// Prepares a component's response to a request of this method for the client, and waits a moment for the beginning of its
/// body.
pub(super) async fn prepare(
    app: &App,
    component: &LazyComponent,
    method: &Method,
    mut reply: Reply,
    context: &RequestContext,
) -> Response<WasiBody> {
    let response = &mut reply.response;
    let status = response.status();
    if status.is_informational() {
        let failure = Failure::Informational(status);
        component.report(&failure, context);
        return failure.response(context, app.development);
    }
    drop_content(response);
    strip_response(response.headers_mut());
    if response.status().is_server_error() {
        // That of another server, whose response was passed on, is in nobody's log here.
        let id = context.id.header_value();
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    if response.status().canonical_reason().is_none() {
        // hyper would write `<none>`.
        let unknown = ReasonPhrase::from_static(b"unknown");
        response.extensions_mut().insert(unknown);
    }
    let promised = match method {
        &Method::HEAD => None,
        _ if status == StatusCode::NOT_MODIFIED => None,
        _ => announced_length(reply.response.headers()),
    };
    let origin = Origin {
        labels: Arc::clone(&component.config.labels),
        request: context.id,
    };
    match reply.start_body(promised, origin).await {
        Ok(response) => response,
        Err(error) => {
            let failure = Failure::Body(error.to_string());
            component.report(&failure, context);
            failure.response(context, app.development)
        }
    }
}

/// Drops the content of a response whose status has none (RFC 9110, sections 8.6, 15.3.5, 15.3.6 and 15.4.5). Of 304, the
/// length is that of the response that the client has.
fn drop_content(response: &mut Response<WasiBody>) {
    let status = response.status();
    let is_length_of_other = status == StatusCode::NOT_MODIFIED;
    if is_length_of_other || [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&status) {
        if !is_length_of_other {
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        *response.body_mut() = body::empty();
    }
}

/// The body of a response as the HTTP library sends it: its bytes are counted, and its request is over when it is dropped.
pub(super) struct SentBody {
    body: Source,
    open: OpenRequest,
}

enum Source {
    /// A body that is all there.
    Whole(Bytes),
    Http1(WasiBody),
    Http2(Arc<StreamBody>),
}

impl SentBody {
    /// Wraps the body of a response that is all there, and counts the response.
    pub(super) fn whole(
        response: Response<Bytes>,
        version: Version,
        open: OpenRequest,
    ) -> Response<Self> {
        if version == Version::HTTP_2 {
            return Self::response(response.map(body::full), version, open);
        }
        open.progress.metrics.responses.count(response.status());
        response.map(|body| Self {
            body: Source::Whole(body),
            open,
        })
    }

    /// Wraps the body of a response, and counts the response.
    pub(super) fn response(
        response: Response<WasiBody>,
        version: Version,
        open: OpenRequest,
    ) -> Response<Self> {
        open.progress.metrics.responses.count(response.status());
        response.map(|body| {
            let body = match version {
                Version::HTTP_2 => Source::Http2(open.progress.streams.add(body)),
                _ => Source::Http1(body),
            };
            Self { body, open }
        })
    }
}

impl Body for SentBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut frame = match &mut self.body {
            Source::Whole(body) if body.is_empty() => None,
            Source::Whole(body) => Some(Ok(Frame::data(std::mem::take(body)))),
            Source::Http1(body) => ready!(Pin::new(body).poll_frame(cx)),
            Source::Http2(stream) => ready!(stream.poll_frame(cx)),
        };
        if let Some(Ok(frame)) = &mut frame {
            if let Some(trailers) = frame.trailers_mut() {
                strip_trailers(trailers);
            }
            let size = frame.data_ref().map_or(0, Bytes::len);
            self.open.progress.metrics.send(size);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Source::Whole(body) => body.is_empty(),
            Source::Http1(body) => body.is_end_stream(),
            Source::Http2(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Source::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Source::Http1(body) => body.size_hint(),
            Source::Http2(stream) => stream.size_hint(),
        }
    }
}
