//! Responses of HTTP/2 that their client does not take.
//!
//! On HTTP/1 such a client shows at the socket. On HTTP/2 it keeps the window of its stream shut and goes on to
//! answer pings, and the HTTP library waits without asking the body: the instance would stay, and its place among
//! the requests.

use crate::metrics::{Bound, Metrics};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{Error, WasiBody};

/// From how many on those that are over are let go of: twice what one connection has at once.
const MANY: usize = 200;

/// The largest piece that is handed out: who takes one in time makes progress enough.
const PIECE: usize = 32 << 10;

/// The responses of one connection.
#[derive(Default)]
pub(super) struct Outbox(Mutex<Vec<Weak<Offer>>>);

/// A response's body, offered to the client piece by piece.
pub(super) struct Offer(Mutex<State>);

struct State {
    /// None when it was given up.
    body: Option<WasiBody>,
    /// What is left of a larger piece that the body gave.
    rest: Bytes,
    /// When the last piece was handed out, as long as nobody asks for the next.
    untaken_since: Option<Instant>,
}

impl Outbox {
    /// Puts a response's body in.
    pub(super) fn put(&self, body: WasiBody) -> Arc<Offer> {
        let offer = Arc::new(Offer(Mutex::new(State {
            body: Some(body),
            rest: Bytes::new(),
            untaken_since: None,
        })));
        let mut offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if offers.len() >= MANY {
            offers.retain(|offer| offer.strong_count() > 0);
        }
        offers.push(Arc::downgrade(&offer));
        offer
    }

    /// Drops the bodies of which the client took nothing for `patience`; tells how many were given up by now.
    pub(super) fn give_up(&self, patience: Duration, metrics: &Metrics) -> usize {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offers: Vec<_> = offers.iter().filter_map(Weak::upgrade).collect();
        for offer in &offers {
            if offer.give_up(patience) {
                tracing::debug!("a client takes nothing of a response; given up");
                metrics.over(Bound::IdleTimeout);
            }
        }
        offers.iter().filter(|offer| offer.is_given_up()).count()
    }
}

impl Offer {
    /// Gives the next piece.
    pub(super) fn poll_frame(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut state = self.lock();
        let polled = state.next_piece(cx);
        state.untaken_since = match polled {
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
        // The upper bound first, which may not be below the lower one.
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }

    fn give_up(&self, patience: Duration) -> bool {
        let mut state = self.lock();
        let untaken = state.untaken_since.map(|since| since.elapsed());
        untaken.is_some_and(|time| time >= patience) && state.body.take().is_some()
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
    use crate::body;

    #[test]
    fn what_nobody_takes_is_given_up() {
        let (outbox, metrics) = (Outbox::default(), Metrics::default());
        let offer = outbox.put(body::full("piece"));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        outbox.give_up(Duration::ZERO, &metrics);
        assert!(matches!(
            offer.poll_frame(&mut cx),
            Poll::Ready(Some(Ok(_)))
        ));
        outbox.give_up(Duration::from_secs(60), &metrics);
        assert!(offer.is_end_stream());
        outbox.give_up(Duration::ZERO, &metrics);
        assert!(matches!(
            offer.poll_frame(&mut cx),
            Poll::Ready(Some(Err(_)))
        ));
        assert_eq!(metrics.times_over(Bound::IdleTimeout), 1);
    }

    #[tokio::test]
    async fn large_pieces_are_cut() {
        let text = "piece".repeat(PIECE);
        let offer = Outbox::default().put(body::full(text.clone()));
        let mut taken = Vec::new();
        while !offer.is_end_stream() {
            let left = text.len() - taken.len();
            assert_eq!(offer.size_hint().exact(), u64::try_from(left).ok());
            let frame = std::future::poll_fn(|cx| offer.poll_frame(cx)).await;
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
    fn the_outbox_forgets_what_is_over() {
        let outbox = Outbox::default();
        for _ in 0..10 * MANY {
            drop(outbox.put(body::empty()));
        }
        assert!(outbox.0.lock().expect("nobody panicked").len() <= MANY);
    }
}
