//! The response on its way to the client.

pub(super) mod http2;

use super::connection::progress::OpenRequest;
use crate::app::App;
use crate::app::component::LazyComponent;
use crate::instance::reply::Reply;
use crate::request::context::RequestContext;
use crate::request::failure::Failure;
use crate::request::headers::strip_hop_by_hop;
use bytes::Bytes;
use http::{Response, Version};
use http_body::{Body, Frame, SizeHint};
use http2::StreamBody;
use hyper::ext::ReasonPhrase;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use wasmtime_wasi_http::{Error, WasiBody};
use waypost_router::X_REQUEST_ID;

/// Prepares a component's response for the client, and waits a moment for the beginning of its body.
pub(super) async fn prepare(
    app: &App,
    component: &LazyComponent,
    mut reply: Reply,
    context: &RequestContext,
) -> Response<WasiBody> {
    let response = &mut reply.response;
    strip_hop_by_hop(response.headers_mut());
    if response.status().is_server_error() {
        let id = context.id.header_value();
        response.headers_mut().entry(X_REQUEST_ID).or_insert(id);
    }
    if response.status().canonical_reason().is_none() {
        // hyper would write `<none>`.
        let unknown = ReasonPhrase::from_static(b"unknown");
        response.extensions_mut().insert(unknown);
    }
    match reply.start_body().await {
        Ok(response) => response,
        Err(error) => {
            let failure = Failure::Body(error.to_string());
            component.report(&failure, context);
            failure.response(context, app.development)
        }
    }
}

/// The body of a response as the HTTP library sends it: its bytes are counted, and its request is over when it is dropped.
pub(super) struct SentBody {
    body: Source,
    open: OpenRequest,
}

enum Source {
    Http1(WasiBody),
    Http2(Arc<StreamBody>),
}

impl SentBody {
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
        let frame = match &mut self.body {
            Source::Http1(body) => ready!(Pin::new(body).poll_frame(cx)),
            Source::Http2(stream) => ready!(stream.poll_frame(cx)),
        };
        if let Some(Ok(frame)) = &frame {
            let size = frame.data_ref().map_or(0, Bytes::len);
            self.open.progress.metrics.send(size);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Source::Http1(body) => body.is_end_stream(),
            Source::Http2(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Source::Http1(body) => body.size_hint(),
            Source::Http2(stream) => stream.size_hint(),
        }
    }
}
