//! A body of which the host has taken the first frame.

use crate::observe::labels::Labels;
use crate::observe::request_id::RequestId;
use crate::observe::untrusted::shown;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use wasmtime_wasi_http::{Error, WasiBody};

/// A body that begins with the frame that was taken, if any, and that fails if its length is not the promised one.
///
/// A failure after that frame is held back until the server has sent what it has.
pub(super) struct StartedBody {
    first: Option<Frame<Bytes>>,
    body: WasiBody,
    failure: Option<Error>,
    /// How many bytes are still to come, if the head says so.
    promised: Option<u64>,
    /// How many bytes have come.
    size: u64,
    origin: Origin,
}

/// What a response comes from, for the log.
pub(crate) struct Origin {
    pub(crate) labels: Arc<Labels>,
    pub(crate) request: RequestId,
}

impl Origin {
    fn report(&self, error: &Error) {
        if matches!(error, Error::HttpResponseIncomplete) {
            // The instance has failed, and that is logged with more detail.
            return;
        }
        let (Labels { route, component }, request) = (&*self.labels, self.request);
        tracing::error!(route, %component, %request, "the response broke off: {}", shown(&error.to_string()));
    }
}

impl StartedBody {
    /// Joins `first` and the rest of `body`. If there is a `promised` length, both together must have it.
    ///
    /// # Errors
    ///
    /// When `first` is longer than promised, or the body is over and shorter.
    pub(super) fn new(
        first: Option<Frame<Bytes>>,
        body: WasiBody,
        promised: Option<u64>,
        origin: Origin,
    ) -> Result<Self, Error> {
        let mut body = Self {
            first: None,
            body,
            failure: None,
            promised,
            size: 0,
            origin,
        };
        if first.is_none() && body.body.is_end_stream() {
            body.check_end()?;
        }
        if let Some(frame) = &first {
            body.count(frame)?;
        }
        body.first = first;
        Ok(body)
    }

    /// Counts the bytes of the next frame.
    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), Error> {
        let size = frame.data_ref().map_or(0, Bytes::len);
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(size);
        if let Some(promised) = &mut self.promised {
            *promised = promised
                .checked_sub(size)
                .ok_or(Error::HttpResponseBodySize(Some(self.size)))?;
        }
        Ok(())
    }

    /// Checks that all promised bytes have come.
    fn check_end(&self) -> Result<(), Error> {
        match self.promised {
            None | Some(0) => Ok(()),
            Some(_) => Err(Error::HttpResponseBodySize(Some(self.size))),
        }
    }

    /// Returns the next frame as it came, or an error if the length is not the promised one.
    fn checked(
        &mut self,
        frame: Option<Result<Frame<Bytes>, Error>>,
    ) -> Option<Result<Frame<Bytes>, Error>> {
        match frame {
            Some(Ok(frame)) => Some(self.count(&frame).map(|()| frame)),
            Some(Err(error)) => Some(Err(error)),
            None => self.check_end().err().map(Err),
        }
    }
}

impl Body for StartedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.first.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match self.checked(frame) {
            Some(Err(error)) => {
                self.origin.report(&error);
                // The server sends what it has only when it has to wait.
                self.failure = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_whole = self.promised.is_none_or(|promised| promised == 0);
        self.first.is_none() && self.failure.is_none() && is_whole && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let taken = self
            .first
            .as_ref()
            .and_then(Frame::data_ref)
            .map_or(0, Bytes::len);
        let taken = u64::try_from(taken).unwrap_or(u64::MAX);
        if let Some(promised) = self.promised {
            return SizeHint::with_exact(promised.saturating_add(taken));
        }
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(taken));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(taken)) {
            hint.set_upper(upper);
        }
        hint
    }
}
