//! Every target other than WASI: for tests.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::LocalKey;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{FutureExt as _, LocalBoxFuture};

use waypost_cache::data::AUTHORITY;

use crate::client::FetchError;
use crate::{Body, Request, Response, testing};

type Network = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, Response>>;

thread_local! {
    /// The function that answers fetches in a test on this thread.
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// Answers fetches with `answers` while `work` runs.
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

/// Replaces a thread-local value while `work` runs.
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

/// Answers a fetch with the function that the test set.
pub(crate) async fn send(request: http::Request<Body>) -> Result<http::Response<Body>, FetchError> {
    if request.uri().host() == Some(AUTHORITY) {
        return Ok(testing::cache::answer(request).await);
    }
    let network = NETWORK.with_borrow(Clone::clone);
    match network {
        Some(answers) => Ok(answers(request.into()).await.into()),
        None => Err(FetchError::Connection(
            "a test has no network: use `waypost::test::with_network`".to_owned(),
        )),
    }
}

/// Waits, with a thread of its own as timer: handlers under test need no async runtime.
pub(crate) async fn sleep(duration: Duration) {
    let (done, waiting) = oneshot::channel();
    std::thread::spawn(move || {
        std::thread::sleep(duration);
        // The receiver may have been dropped meanwhile.
        let _ = done.send(());
    });
    // The thread always sends.
    let _ = waiting.await;
}
