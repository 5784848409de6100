//! Whether the client is still there.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

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
            self.0.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
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
