//! The signal that fires when the client disconnects.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
use std::task::Context;
use std::task::{Poll, Waker};

use crate::Result;
use crate::extract::{Exchange, FromRequest};
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
use crate::sys;

/// A signal that fires when the client disconnects, like the
/// [`AbortSignal`](https://dom.spec.whatwg.org/#interface-AbortSignal) of a request on the Web.
///
/// If the client disconnects before the response has begun, the handler still runs to its end. Only Waypost's own
/// host reports this case. If it disconnects while the response is sent, the body is dropped right after the signal,
/// and then the [`After`](crate::After) work runs.
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
    /// Set once a handler has the signal. A trait object, so that a component without one does not contain the code:
    /// 5.9 kB of `/hello`.
    watch: OnceCell<Box<dyn Watching>>,
}

impl Signal {
    /// Returns whether the client disconnected.
    pub fn is_aborted(&self) -> bool {
        self.0.aborted.get()
    }

    /// Waits until the client disconnects; forever if it does not.
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

    /// Fires the signal.
    pub(crate) fn abort(&self) {
        self.0.aborted.set(true);
        if let Some(watch) = self.0.watch.get() {
            watch.wake();
        }
    }

    /// Polls whether the client disconnected before the response has begun. Always `false` if no handler has the
    /// signal.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn has_left(&self, cx: &mut Context<'_>) -> bool {
        let watch = self.0.watch.get().filter(|_| !self.is_aborted());
        watch.is_some_and(|watch| watch.has_left(cx))
    }

    /// Stops waiting, because the response has begun.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn stop(&self) {
        if let Some(watch) = self.0.watch.get() {
            watch.stop();
        }
    }
}

/// Waiting for the signal.
trait Watching {
    /// Wakes this task when the client disconnects.
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
    /// The future that waits until the client disconnects.
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
    fn waiting_tasks_are_woken() {
        let signal = Signal::default();
        let copy = signal.clone();
        block_on(async {
            join!(signal.aborted(), async { copy.abort() });
        });
        assert!(signal.is_aborted());
    }
}
