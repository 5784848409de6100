//! Work that goes on when nobody waits for it any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// A handler's work: what it does is done to its end, as in Next, within its limits of time and the places that
/// it takes among the requests. Dropped before that, it goes on in a task of its own.
pub(crate) struct Lasting<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    left: Option<Arc<CancellationToken>>,
}

impl<T: Send + 'static> Lasting<T> {
    /// Does `work`.
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            work: Some(Box::pin(work)),
            left: None,
        }
    }

    /// Cancels `left` when this is dropped before it is done.
    pub(crate) fn telling(mut self, left: Arc<CancellationToken>) -> Self {
        self.left = Some(left);
        self
    }
}

impl<T: Send + 'static> Future for Lasting<T> {
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

impl<T: Send + 'static> Drop for Lasting<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        if std::thread::panicking() {
            // It was the work that failed.
            return;
        }
        if let Some(left) = &self.left {
            left.cancel();
        }
        // Without a runtime the process is about to end.
        if let Ok(runtime) = Handle::try_current() {
            // It ends with its instance, which has a limit of time, and at the latest when the host stops.
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_is_dropped_is_done_all_the_same() {
        let left = Arc::new(CancellationToken::new());
        let (done, is_done) = oneshot::channel();
        let work = {
            let left = Arc::clone(&left);
            async move {
                left.cancelled().await;
                done.send(()).ok()
            }
        };
        drop(Lasting::new(work).telling(left));
        assert_eq!(is_done.await, Ok(()));
    }

    #[tokio::test]
    async fn nobody_has_left_when_it_is_done() {
        let left = Arc::new(CancellationToken::new());
        let lasting = Lasting::new(async { 1 }).telling(Arc::clone(&left));
        assert_eq!(lasting.await, 1);
        assert!(!left.is_cancelled());
    }
}
