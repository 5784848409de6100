//! The body that another server sends.

use crate::request::admission::Permit;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// A body that fails when its server sends nothing for too long while a component waits for it.
pub(super) struct ResponseBody {
    body: Incoming,
    between_bytes: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    _place: Option<Permit>,
}

impl ResponseBody {
    /// Makes a body that keeps `place` until it is dropped.
    pub(super) fn new(body: Incoming, between_bytes: Duration, place: Option<Permit>) -> Self {
        Self {
            body,
            between_bytes,
            waiting: None,
            _place: place,
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(own_error)));
        }
        let deadline = Instant::now() + self.between_bytes;
        let sleep = || Box::pin(tokio::time::sleep_until(deadline));
        ready!(self.waiting.get_or_insert_with(sleep).as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn own_error(error: hyper::Error) -> Error {
    if error.is_timeout() {
        return Error::HttpResponseTimeout;
    }
    if error.is_incomplete_message() {
        return Error::HttpResponseIncomplete;
    }
    error.into()
}
