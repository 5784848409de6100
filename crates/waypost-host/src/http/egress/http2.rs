//! Responses over HTTP/2 that their client does not read.
//!
//! Over HTTP/1 the writes to the socket time out. Over HTTP/2 a client can keep the window of a stream closed while it
//! answers pings, and the HTTP library waits without polling the body: the instance would stay, and its place among the
//! requests.

use crate::observe::metrics::{Bound, Metrics};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{Error, WasiBody};

/// How many entries are kept before those of ended responses are removed: twice what one connection has at once.
const MAX_ENTRIES: usize = 200;

/// Size of the largest piece that is sent at once. A client that reads one in time makes enough progress.
const PIECE: usize = 32 << 10;

/// The responses that one connection sends.
#[derive(Default)]
pub(in crate::http) struct OpenStreams(Mutex<Vec<Weak<StreamBody>>>);

/// The body of a response, sent piece by piece.
pub(super) struct StreamBody(Mutex<State>);

struct State {
    /// `None` if it was given up.
    body: Option<WasiBody>,
    /// The rest of a frame that is larger than a piece.
    rest: Bytes,
    /// When the last piece was handed to the HTTP library, until that polls for the next.
    unread_since: Option<Instant>,
}

impl OpenStreams {
    /// Adds the body of a response.
    pub(super) fn add(&self, body: WasiBody) -> Arc<StreamBody> {
        let body = Arc::new(StreamBody(Mutex::new(State {
            body: Some(body),
            rest: Bytes::new(),
            unread_since: None,
        })));
        let mut bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bodies.len() >= MAX_ENTRIES {
            bodies.retain(|body| body.strong_count() > 0);
        }
        bodies.push(Arc::downgrade(&body));
        body
    }

    /// Drops the bodies of which the client has read nothing for `idle_timeout`; returns how many were given up so far.
    pub(in crate::http) fn give_up(&self, idle_timeout: Duration, metrics: &Metrics) -> usize {
        let bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bodies: Vec<_> = bodies.iter().filter_map(Weak::upgrade).collect();
        for body in &bodies {
            if body.give_up(idle_timeout) {
                tracing::debug!("a client does not read a response; given up");
                metrics.over(Bound::IdleTimeout);
            }
        }
        bodies.iter().filter(|body| body.is_given_up()).count()
    }
}

impl StreamBody {
    /// Polls for the next piece.
    pub(super) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut state = self.lock();
        let polled = state.next_piece(cx);
        state.unread_since = match polled {
            Poll::Ready(Some(Ok(_))) => Some(Instant::now()),
            Poll::Ready(None | Some(Err(_))) | Poll::Pending => None,
        };
        polled
    }

    /// See [`http_body::Body::is_end_stream`].
    pub(super) fn is_end_stream(&self) -> bool {
        let state = self.lock();
        state.rest.is_empty() && state.body.as_ref().is_some_and(WasiBody::is_end_stream)
    }

    /// See [`http_body::Body::size_hint`].
    pub(super) fn size_hint(&self) -> SizeHint {
        let state = self.lock();
        let hint = state.body.as_ref().map(WasiBody::size_hint);
        let mut hint = hint.unwrap_or_default();
        let rest = u64::try_from(state.rest.len()).unwrap_or(u64::MAX);
        // The upper bound comes first, as it may not be below the lower one.
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }

    fn give_up(&self, idle_timeout: Duration) -> bool {
        let mut state = self.lock();
        let unread = state.unread_since.map(|since| since.elapsed());
        unread.is_some_and(|time| time >= idle_timeout) && state.body.take().is_some()
    }

    fn is_given_up(&self) -> bool {
        self.lock().body.is_none()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(Some(Err(Error::ConnectionWriteTimeout)));
        };
        if self.rest.is_empty() {
            match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::body;

    #[test]
    fn a_response_that_nobody_reads_is_given_up() {
        let (streams, metrics) = (OpenStreams::default(), Metrics::default());
        let body = streams.add(body::full("piece"));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        streams.give_up(Duration::ZERO, &metrics);
        assert!(matches!(body.poll_frame(&mut cx), Poll::Ready(Some(Ok(_)))));
        streams.give_up(Duration::from_secs(60), &metrics);
        assert!(body.is_end_stream());
        streams.give_up(Duration::ZERO, &metrics);
        assert!(matches!(
            body.poll_frame(&mut cx),
            Poll::Ready(Some(Err(_)))
        ));
        assert_eq!(metrics.times_over(Bound::IdleTimeout), 1);
    }

    #[tokio::test]
    async fn large_pieces_are_cut() {
        let text = "piece".repeat(PIECE);
        let body = OpenStreams::default().add(body::full(text.clone()));
        let mut taken = Vec::new();
        while !body.is_end_stream() {
            let left = text.len() - taken.len();
            assert_eq!(body.size_hint().exact(), u64::try_from(left).ok());
            let frame = std::future::poll_fn(|cx| body.poll_frame(cx)).await;
            let piece = frame
                .and_then(Result::ok)
                .and_then(|frame| frame.into_data().ok());
            let piece = piece.expect("the body goes on");
            assert!(piece.len() <= PIECE);
            taken.extend(piece);
        }
        assert!(taken == text.as_bytes());
    }

    #[test]
    fn ended_responses_are_removed() {
        let streams = OpenStreams::default();
        for _ in 0..10 * MAX_ENTRIES {
            drop(streams.add(body::empty()));
        }
        assert!(streams.0.lock().expect("nobody panicked").len() <= MAX_ENTRIES);
    }
}
