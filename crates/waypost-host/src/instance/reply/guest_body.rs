//! The body of a component's response.

use crate::instance::lifecycle::Call;
use crate::request::admission::Place;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, WasiBody};

/// A body that keeps its request open until it has ended or is dropped.
///
/// It fails when its instance does: the body of a guest that trapped must not look complete. If it is dropped before its
/// end, the component learns that its client left.
pub(super) struct GuestBody {
    body: WasiBody,
    open: Option<Open>,
}

/// A request whose response is not over.
struct Open {
    call: Call,
    _place: Option<Arc<Place>>,
    client_left: Arc<CancellationToken>,
}

impl GuestBody {
    /// Ties `body` to the request that it answers.
    pub(super) fn new(
        body: WasiBody,
        call: Call,
        place: Option<Arc<Place>>,
        client_left: Arc<CancellationToken>,
    ) -> Self {
        let open = Some(Open {
            call,
            _place: place,
            client_left,
        });
        Self { body, open }
    }

    /// Ends the request; returns an error if its instance failed.
    fn finish(&mut self) -> Option<Result<Frame<Bytes>, Error>> {
        let open = self.open.take()?;
        open.call
            .has_failed()
            .then_some(Err(Error::HttpResponseIncomplete))
    }
}

impl Drop for GuestBody {
    fn drop(&mut self) {
        // The server does not poll for the end of a body whose length it knows.
        let is_whole = || self.body.is_end_stream() || self.body.size_hint().exact() == Some(0);
        if let Some(open) = self.open.take()
            && !is_whole()
        {
            open.client_left.cancel();
        }
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match polled {
            Poll::Ready(None) => Poll::Ready(self.finish()),
            Poll::Ready(Some(Ok(frame))) => {
                // The server may not poll again after the last frame, and the instance waits for the end.
                if self.body.is_end_stream() {
                    self.open = None;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
