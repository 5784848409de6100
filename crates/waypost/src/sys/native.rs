//! Any target that is no WASI: tests.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::LocalKey;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{FutureExt as _, LocalBoxFuture};

use crate::{Body, FetchError, Request, Response};

type Network = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, Response>>;

thread_local! {
    /// What stands in for the network in a test on this thread.
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// Lets `answers` stand in for the network while `work` runs.
pub(crate) fn with_network<T, F>(
    answers: impl Fn(Request) -> F + 'static,
    work: impl FnOnce() -> T,
) -> T
where
    F: Future<Output = Response> + 'static,
{
    let network: Network = Rc::new(move |request| answers(request).boxed_local());
    while_set(&NETWORK, Some(network), work)
}

/// Gives what a thread knows another value while `work` runs.
pub(crate) fn while_set<V, T>(
    known: &'static LocalKey<RefCell<V>>,
    value: V,
    work: impl FnOnce() -> T,
) -> T {
    let before = known.replace(value);
    let done = work();
    known.set(before);
    done
}

/// Asks what stands in for the network.
pub(crate) async fn send(request: http::Request<Body>) -> Result<http::Response<Body>, FetchError> {
    let network = NETWORK.with_borrow(Clone::clone);
    match network {
        Some(answers) => Ok(answers(request.into()).await.into()),
        None => Err(FetchError::Connection(
            "there is no network in a test".to_owned(),
        )),
    }
}

/// Waits on a thread of its own: handlers under test need no runtime.
pub(crate) async fn sleep(duration: Duration) {
    let (done, waiting) = oneshot::channel();
    std::thread::spawn(move || {
        std::thread::sleep(duration);
        // The handler may be gone by now.
        let _ = done.send(());
    });
    // The thread always sends.
    let _ = waiting.await;
}
