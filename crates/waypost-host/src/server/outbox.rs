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
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{Error, WasiBody};

/// From how many on those that are over are let go of: twice what one connection has at once.
const MANY: usize = 200;

/// The responses of one connection.
#[derive(Default)]
pub(super) struct Outbox(Mutex<Vec<Weak<Offer>>>);

/// A response's body, offered to the client piece by piece.
pub(super) struct Offer(Mutex<State>);

struct State {
    /// None when it was given up.
    body: Option<WasiBody>,
    /// When the last piece was handed out, as long as nobody asks for the next.
    untaken_since: Option<Instant>,
}

impl Outbox {
    /// Puts a response's body in.
    pub(super) fn put(&self, body: WasiBody) -> Arc<Offer> {
        let offer = Arc::new(Offer(Mutex::new(State {
            body: Some(body),
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
        let Some(body) = &mut state.body else {
            return Poll::Ready(Some(Err(Error::ConnectionWriteTimeout)));
        };
        let polled = Pin::new(body).poll_frame(cx);
        state.untaken_since = match polled {
            Poll::Ready(Some(Ok(_))) => Some(Instant::now()),
            Poll::Ready(None | Some(Err(_))) | Poll::Pending => None,
        };
        polled
    }

    /// See [`http_body::Body::is_end_stream`].
    pub(super) fn is_end_stream(&self) -> bool {
        let state = self.lock();
        state.body.as_ref().is_some_and(WasiBody::is_end_stream)
    }

    /// See [`http_body::Body::size_hint`].
    pub(super) fn size_hint(&self) -> SizeHint {
        let state = self.lock();
        let hint = state.body.as_ref().map(WasiBody::size_hint);
        hint.unwrap_or_default()
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

    #[test]
    fn the_outbox_forgets_what_is_over() {
        let outbox = Outbox::default();
        for _ in 0..10 * MANY {
            drop(outbox.put(body::empty()));
        }
        assert!(outbox.0.lock().expect("nobody panicked").len() <= MANY);
    }
}
