//! The body of a response on its way to the client.

use super::outbox::Offer;
use super::progress::Open;
use bytes::Bytes;
use http::{Response, Version};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use wasmtime_wasi_http::{Error, WasiBody};

/// A body that is counted, and tells the connection when it is over.
pub(super) struct Sent {
    body: Source,
    open: Open,
}

enum Source {
    Own(WasiBody),
    Offered(Arc<Offer>),
}

impl Sent {
    /// Makes the body of a response to a request of this version.
    pub(super) fn response(
        response: Response<WasiBody>,
        version: Version,
        open: Open,
    ) -> Response<Self> {
        open.progress.metrics.responses.count(response.status());
        response.map(|body| {
            let body = match version {
                Version::HTTP_2 => Source::Offered(open.progress.outbox.put(body)),
                _ => Source::Own(body),
            };
            Self { body, open }
        })
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match &mut self.body {
            Source::Own(body) => ready!(Pin::new(body).poll_frame(cx)),
            Source::Offered(offer) => ready!(offer.poll_frame(cx)),
        };
        if let Some(Ok(frame)) = &frame {
            let size = frame.data_ref().map_or(0, Bytes::len);
            self.open.progress.metrics.send(size);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Source::Own(body) => body.is_end_stream(),
            Source::Offered(offer) => offer.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Source::Own(body) => body.size_hint(),
            Source::Offered(offer) => offer.size_hint(),
        }
    }
}
