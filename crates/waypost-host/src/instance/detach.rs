//! Work that goes on in a task of its own when nobody waits for it any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// A future that runs to its end even if it is dropped: then it goes on in a task of its own.
///
/// A handler that has begun is completed when its client leaves, as in Next, within its limits of time and of requests in
/// flight.
pub(crate) struct Detachable<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    client_left: Option<Arc<CancellationToken>>,
}

impl<T: Send + 'static> Detachable<T> {
    /// Makes a future that does `work`.
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            work: Some(Box::pin(work)),
            client_left: None,
        }
    }

    /// Cancels `client_left` when this is dropped before it is done.
    pub(crate) fn signalling(mut self, client_left: Arc<CancellationToken>) -> Self {
        self.client_left = Some(client_left);
        self
    }
}

impl<T: Send + 'static> Future for Detachable<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.work else {
            return Poll::Pending;
        };
        let done = ready!(work.as_mut().poll(cx));
        self.work = None;
        Poll::Ready(done)
    }
}

impl<T: Send + 'static> Drop for Detachable<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        if std::thread::panicking() {
            // The work itself panicked.
            return;
        }
        if let Some(client_left) = &self.client_left {
            client_left.cancel();
        }
        // Without a runtime the process is about to end.
        if let Ok(runtime) = Handle::try_current() {
            // It ends with its instance: that has a limit of time, and ends when the host stops.
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_that_is_dropped_is_completed() {
        let left = Arc::new(CancellationToken::new());
        let (done, is_done) = oneshot::channel();
        let work = {
            let left = Arc::clone(&left);
            async move {
                left.cancelled().await;
                done.send(()).ok()
            }
        };
        drop(Detachable::new(work).signalling(left));
        assert_eq!(is_done.await, Ok(()));
    }

    #[tokio::test]
    async fn a_client_that_waits_has_not_left() {
        let left = Arc::new(CancellationToken::new());
        let work = Detachable::new(async { 1 }).signalling(Arc::clone(&left));
        assert_eq!(work.await, 1);
        assert!(!left.is_cancelled());
    }
}
