//! The body that a client sends, and how long the host waits for its next piece.

use super::BodyFault;
use crate::observe::metrics::Metrics;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use wasmtime_wasi_http::Error;

/// A body that fails, and raises a flag, when its client sends nothing while a component waits for it.
pub(crate) struct ClientBody {
    body: Incoming,
    idle_timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    stalled: BodyFault,
    metrics: Arc<Metrics>,
}

impl ClientBody {
    /// Makes a body that waits for each piece of `body` for `idle_timeout` at most, and raises `stalled` then.
    pub(crate) fn new(
        body: Incoming,
        idle_timeout: Duration,
        stalled: BodyFault,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            body,
            idle_timeout,
            waiting: None,
            stalled,
            metrics,
        }
    }

    fn poll_timeout(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = Instant::now() + self.idle_timeout;
        let sleep = || Box::pin(tokio::time::sleep_until(deadline.into()));
        self.waiting.get_or_insert_with(sleep).as_mut().poll(cx)
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.waiting = None;
                if let Some(Ok(frame)) = &frame {
                    self.metrics.receive(frame.data_ref().map_or(0, Bytes::len));
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Error::Hyper)))
            }
            Poll::Pending => {
                ready!(self.poll_timeout(cx));
                self.stalled.raise();
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
