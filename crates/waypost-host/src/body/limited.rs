//! A request's body that may not be larger than its route allows.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use wasmtime_wasi_http::{Error, WasiBody};

/// A flag that a body raises, for the one who sends the response.
#[derive(Clone, Default)]
pub(crate) struct BodyFault(Arc<AtomicBool>);

impl BodyFault {
    /// Tells whether the flag is up.
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A body that fails, and says so, when it goes over a limit.
pub(crate) struct LimitedBody {
    body: WasiBody,
    left: u64,
    too_large: BodyFault,
}

impl LimitedBody {
    /// Lets at most `limit` bytes of `body` through.
    pub(crate) fn new(body: WasiBody, limit: u64, too_large: BodyFault) -> Self {
        Self {
            body,
            left: limit,
            too_large,
        }
    }

    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), Error> {
        let size = frame.data_ref().map_or(0, Bytes::len);
        match self
            .left
            .checked_sub(u64::try_from(size).unwrap_or(u64::MAX))
        {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.too_large.raise();
                Err(Error::HttpRequestBodySize(None))
            }
        }
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.count(&frame).map(|()| frame))),
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
