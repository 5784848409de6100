//! The body that a client sends, how long the host waits for its next piece, and what is left of it when nobody reads it.

use crate::observe::metrics::Metrics;
use crate::request::head::RequestError;
use crate::request::headers::strip_trailers;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::Sleep;
use wasmtime_wasi_http::Error;

/// How much of a body that nobody reads is read after all, so that the connection can serve another request.
const LEFT_OVER: u64 = 64 << 10;

/// How long the response waits for that: most such bodies are there already.
const LEFT_OVER_TIMEOUT: Duration = Duration::from_millis(5);

/// How a request body failed by the client's fault, for whoever sends the response: a component may make anything of the
/// error that it sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientFault(Arc<OnceLock<RequestError>>);

impl ClientFault {
    /// Returns the fault, if there was one.
    pub(crate) fn get(&self) -> Option<RequestError> {
        self.0.get().copied()
    }

    fn set(&self, error: RequestError) {
        // The first fault counts.
        let _ = self.0.set(error);
    }
}

/// A body that fails, and records why, when its client sends nothing while a component waits for it, or sends what is not
/// HTTP. It has no trailers that a client may not set.
pub(crate) struct ClientBody {
    /// `None` only while it is dropped.
    body: Option<Incoming>,
    idle_timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    fault: ClientFault,
    metrics: Arc<Metrics>,
    /// Whether a component has asked for the body: then a client that expects `100 Continue` has got it.
    was_polled: bool,
    has_ended: bool,
    unread: Option<oneshot::Sender<Rest>>,
}

/// A body that was dropped before its end.
struct Rest {
    body: Incoming,
    was_polled: bool,
}

/// Receives the body of a request if it is dropped before its end.
pub(crate) struct Unread {
    rest: oneshot::Receiver<Rest>,
    expects_continue: bool,
}

impl ClientBody {
    /// Makes a body that waits for each piece of `body` for `idle_timeout` at most.
    pub(crate) fn new(
        body: Incoming,
        expects_continue: bool,
        idle_timeout: Duration,
        metrics: Arc<Metrics>,
    ) -> (Self, ClientFault, Unread) {
        let (unread, rest) = oneshot::channel();
        let fault = ClientFault::default();
        let body = Self {
            body: Some(body),
            idle_timeout,
            waiting: None,
            fault: fault.clone(),
            metrics,
            was_polled: false,
            has_ended: false,
            unread: Some(unread),
        };
        let unread = Unread {
            rest,
            expects_continue,
        };
        (body, fault, unread)
    }

    fn poll_timeout(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = Instant::now() + self.idle_timeout;
        let sleep = || Box::pin(tokio::time::sleep_until(deadline.into()));
        self.waiting.get_or_insert_with(sleep).as_mut().poll(cx)
    }

    /// Records the next frame, and removes trailers that a client may not set.
    fn receive(
        &mut self,
        frame: Option<Result<Frame<Bytes>, hyper::Error>>,
    ) -> Option<Result<Frame<Bytes>, Error>> {
        self.waiting = None;
        match frame {
            Some(Ok(mut frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    strip_trailers(trailers);
                }
                self.metrics.receive(frame.data_ref().map_or(0, Bytes::len));
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                self.has_ended = true;
                self.fault.set(RequestError::MalformedBody);
                Some(Err(Error::Hyper(error)))
            }
            None => {
                self.has_ended = true;
                None
            }
        }
    }
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if let (Some(body), Some(unread)) = (self.body.take(), self.unread.take())
            && !self.has_ended
            && !body.is_end_stream()
        {
            let was_polled = self.was_polled;
            // Nobody takes it once the response is on its way.
            let _ = unread.send(Rest { body, was_polled });
        }
    }
}

impl Unread {
    /// Returns whether the body was dropped before its end, and more of it is to come than is worth waiting for.
    pub(crate) async fn remains(mut self) -> bool {
        let Ok(Rest {
            mut body,
            was_polled,
        }) = self.rest.try_recv()
        else {
            return false;
        };
        // Asking for the body would send `100 Continue`.
        if self.expects_continue && !was_polled || body.size_hint().lower() > LEFT_OVER {
            return true;
        }
        let mut left = LEFT_OVER;
        let all = async {
            loop {
                match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => {
                        let size = frame.data_ref().map_or(0, Bytes::len);
                        match left.checked_sub(size.try_into().unwrap_or(u64::MAX)) {
                            Some(rest) => left = rest,
                            None => return false,
                        }
                    }
                }
            }
        };
        let is_read = tokio::time::timeout(LEFT_OVER_TIMEOUT, all).await;
        is_read != Ok(true)
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.was_polled = true;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(self.receive(frame)),
            Poll::Pending => {
                ready!(self.poll_timeout(cx));
                self.fault.set(RequestError::StalledBody);
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::new, Body::size_hint)
    }
}
