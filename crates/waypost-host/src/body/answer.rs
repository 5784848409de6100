//! The body of a component's response.

use crate::admission::Permit;
use crate::exchange::Caller;
use crate::rest::Rest;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, WasiBody};

/// How long the head of a response may wait for the first bytes of its body.
///
/// Most bodies follow their head within microseconds: then both leave in one packet, and a body that
/// fails at once can still become a 500. A slow stream loses no more than this.
const FIRST_FRAME_PATIENCE: Duration = Duration::from_millis(2);

/// A component's body that keeps its request open until it ends or is dropped, and that fails when its
/// instance does: a guest that trapped while it streamed must not look like one that was done. One that is dropped
/// before its end tells the component that its client left.
pub(crate) struct AnswerBody {
    body: WasiBody,
    open: Option<Open>,
}

/// A request whose response is not over.
struct Open {
    caller: Caller,
    _permit: Option<Arc<Permit>>,
    left: Arc<CancellationToken>,
}

impl AnswerBody {
    /// Ties `body` to the request that it answers; `left` is cancelled when nobody takes its end.
    pub(crate) fn new(
        body: WasiBody,
        caller: Caller,
        permit: Option<Arc<Permit>>,
        left: Arc<CancellationToken>,
    ) -> Self {
        let open = Some(Open {
            caller,
            _permit: permit,
            left,
        });
        Self { body, open }
    }

    /// Ends the request; tells how.
    fn finish(&mut self) -> Option<Result<Frame<Bytes>, Error>> {
        let open = self.open.take()?;
        open.caller
            .has_failed()
            .then_some(Err(Error::HttpResponseIncomplete))
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        // The server does not ask for the end of a body whose length it knows.
        let is_whole = || self.body.is_end_stream() || self.body.size_hint().exact() == Some(0);
        if let Some(open) = self.open.take()
            && !is_whole()
        {
            open.left.cancel();
        }
    }
}

impl Body for AnswerBody {
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
                // Nobody may ask for the end after the last frame, and the instance waits for it.
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

/// Waits a moment for the first frame of a body, and does meanwhile what is left of the instance's work: mostly that
/// is all, and no task has to be made for it. What it got is given again by the body returned.
///
/// # Errors
///
/// When the body failed before its first frame.
pub(crate) async fn first_frame(
    mut body: WasiBody,
    mut rest: Option<Rest>,
) -> Result<Rewound, Error> {
    if body.is_end_stream() {
        return Ok(Rewound::new(None, body));
    }
    let mut frame = std::future::poll_fn(|cx| {
        let mut frame = |cx: &mut Context<'_>| Pin::new(&mut body).poll_frame(cx);
        let Some(rest) = &mut rest else {
            return frame(cx);
        };
        let frame = ready!(rest.poll(cx, frame));
        // Now that it was taken, there may be no more to do.
        rest.go_on();
        Poll::Ready(frame)
    });
    // Mostly it is there, and no clock has to be set.
    let frame = match futures::poll!(&mut frame) {
        Poll::Ready(frame) => Ok(frame),
        Poll::Pending => tokio::time::timeout(FIRST_FRAME_PATIENCE, frame).await,
    };
    match frame {
        Ok(Some(Err(error))) => Err(error),
        Ok(Some(Ok(frame))) => Ok(Rewound::new(Some(frame), body)),
        Ok(None) => Ok(Rewound::new(None, super::empty())),
        Err(_) => Ok(Rewound::new(None, body)),
    }
}

/// A body whose first frame may have been taken out already.
pub(crate) struct Rewound {
    first: Option<Frame<Bytes>>,
    body: WasiBody,
    failure: Option<Error>,
}

impl Rewound {
    fn new(first: Option<Frame<Bytes>>, body: WasiBody) -> Self {
        Self {
            first,
            body,
            failure: None,
        }
    }
}

impl Body for Rewound {
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
        match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Err(error)) => {
                // The server sends what it has only when it has to wait: first that, then the failure.
                self.failure = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let taken = self
            .first
            .as_ref()
            .and_then(Frame::data_ref)
            .map_or(0, Bytes::len);
        let taken = u64::try_from(taken).unwrap_or(u64::MAX);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(taken));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(taken)) {
            hint.set_upper(upper);
        }
        hint
    }
}
