//! Whether the client is still there.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
use crate::sys;
use crate::{Exchange, FromRequest, Result};

/// Tells that the client went away, as the Web's
/// [`AbortSignal`](https://dom.spec.whatwg.org/#interface-AbortSignal) of a request.
///
/// Before the response has begun, the handler runs on to its end; Waypost's host tells it, others have no way
/// to. While the response is being sent, its body is dropped right after, and then the work of
/// [`After`](crate::After) runs.
///
/// # Examples
///
/// ```
/// use waypost::{After, Body, Response, Signal};
///
/// async fn get(after: After, signal: Signal) -> Response {
///     after.run(async move {
///         println!("the client {}", if signal.is_aborted() { "left" } else { "has it all" });
///     });
///     Response::new(Body::from_iter(["a", "long", "stream"]))
/// }
/// ```
#[derive(Clone, Default)]
pub struct Signal(Rc<State>);

#[derive(Default)]
struct State {
    aborted: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
    /// Set once a handler has the signal, so that a component whose handler does not ask holds no code for it.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    watch: Cell<Option<&'static Watch>>,
}

/// What is done for a handler that has the signal.
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
struct Watch {
    /// Waits until the client goes away before the response has begun.
    leaving: fn() -> sys::Leaving,
    abort: fn(&Signal),
}

#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
const WATCH: &Watch = &Watch {
    leaving: sys::leaving,
    abort: Signal::abort,
};

impl Signal {
    /// Tells whether the client went away.
    pub fn is_aborted(&self) -> bool {
        self.0.aborted.get()
    }

    /// Waits until the client goes away; for ever, if it stays.
    pub async fn aborted(&self) {
        poll_fn(|cx| {
            if self.is_aborted() {
                return Poll::Ready(());
            }
            self.0.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Returns the signal for a handler.
    pub(crate) fn watched(&self) -> Self {
        #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
        self.0.watch.set(Some(WATCH));
        self.clone()
    }

    /// Begins to wait until the client goes away, if a handler has the signal.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn leaving(&self) -> Option<sys::Leaving> {
        let watch = self.0.watch.get().filter(|_| !self.is_aborted());
        watch.map(|watch| (watch.leaving)())
    }

    /// Says that the client went away, to a handler that has the signal.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn tell(&self) {
        if let Some(watch) = self.0.watch.get() {
            (watch.abort)(self);
        }
    }

    /// Says that the client went away.
    pub(crate) fn abort(&self) {
        self.0.aborted.set(true);
        self.0.waiting.take().into_iter().for_each(Waker::wake);
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Signal {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.signal())
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signal(aborted: {})", self.is_aborted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;
    use futures::join;

    #[test]
    fn whoever_waits_is_woken() {
        let signal = Signal::default();
        let copy = signal.clone();
        block_on(async {
            join!(signal.aborted(), async { copy.abort() });
        });
        assert!(signal.is_aborted());
    }
}
