//! Whether the client is still there.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
use std::task::Context;
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
    /// What is done for those who have the signal: a component whose handler does not ask for it holds none of it.
    watch: OnceCell<Box<dyn Watching>>,
}

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
            self.watch().wait(cx.waker());
            Poll::Pending
        })
        .await;
    }

    /// Returns the signal for a handler.
    pub(crate) fn watched(&self) -> Self {
        self.watch();
        self.clone()
    }

    fn watch(&self) -> &dyn Watching {
        let watch = || Box::new(Watch::default()) as Box<dyn Watching>;
        &**self.0.watch.get_or_init(watch)
    }

    /// Says that the client went away.
    pub(crate) fn abort(&self) {
        self.0.aborted.set(true);
        if let Some(watch) = self.0.watch.get() {
            watch.wake();
        }
    }

    /// Asks whether the client went away before the response has begun, where a handler has the signal.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn has_left(&self, cx: &mut Context<'_>) -> bool {
        let watch = self.0.watch.get().filter(|_| !self.is_aborted());
        watch.is_some_and(|watch| watch.has_left(cx))
    }

    /// Asks no more: the response has begun.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn stop(&self) {
        if let Some(watch) = self.0.watch.get() {
            watch.stop();
        }
    }
}

trait Watching {
    /// Wakes this one when the client goes away.
    fn wait(&self, waker: &Waker);

    fn wake(&self);

    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    fn has_left(&self, cx: &mut Context<'_>) -> bool;

    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    fn stop(&self);
}

#[derive(Default)]
struct Watch {
    waiting: RefCell<Vec<Waker>>,
    /// Waits until the client goes away.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    leaving: RefCell<Option<sys::Leaving>>,
}

impl Watching for Watch {
    fn wait(&self, waker: &Waker) {
        self.waiting.borrow_mut().push(waker.clone());
    }

    fn wake(&self) {
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    fn has_left(&self, cx: &mut Context<'_>) -> bool {
        let mut leaving = self.leaving.borrow_mut();
        let leaving = leaving.get_or_insert_with(sys::leaving);
        leaving.as_mut().poll(cx).is_ready()
    }

    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    fn stop(&self) {
        self.leaving.take();
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
