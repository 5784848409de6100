//! The body that another server sends.

use super::http2::Http2Stream;
use crate::request::admission::Permit;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// A body that fails when its server sends nothing for too long while a component waits for it.
pub(super) struct ResponseBody {
    body: Incoming,
    between_bytes: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Its place on a connection over HTTP/2.
    stream: Option<Arc<Http2Stream>>,
    _place: Option<Permit>,
}

impl ResponseBody {
    /// Makes a body that keeps `stream` and `place` until it is dropped.
    pub(super) fn new(
        body: Incoming,
        between_bytes: Duration,
        stream: Option<Arc<Http2Stream>>,
        place: Option<Permit>,
    ) -> Self {
        Self {
            body,
            between_bytes,
            waiting: None,
            stream,
            _place: place,
        }
    }
}

impl ResponseBody {
    /// Returns whether a stream of HTTP/2 ended before the server ended the body.
    fn is_broken_off(&self) -> bool {
        self.stream.is_some() && !self.body.is_end_stream()
    }

    fn error(&self, error: hyper::Error) -> Error {
        if error.is_timeout() {
            return Error::HttpResponseTimeout;
        }
        if error.is_incomplete_message() || self.stream.is_some() {
            return Error::HttpResponseIncomplete;
        }
        error.into()
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
            return Poll::Ready(match frame {
                Some(frame) => Some(frame.map_err(|error| self.error(error))),
                // HTTP/2: the server gave up its response without an error.
                None if self.is_broken_off() => Some(Err(Error::HttpResponseIncomplete)),
                None => None,
            });
        }
        let deadline = Instant::now() + self.between_bytes;
        let sleep = || Box::pin(tokio::time::sleep_until(deadline));
        ready!(self.waiting.get_or_insert_with(sleep).as_mut().poll(cx));
        if let Some(stream) = &self.stream {
            stream.retire();
        }
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
