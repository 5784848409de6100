//! Futures that run together in one task.
//!
//! A component without the feature `inter-task-wakeup` of `wit-bindgen` must not wake one task from another: that is a panic.
//! All of these run, and wake each other, in the task of one request.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Waits for two futures.
pub(super) async fn both<A, B>(
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        if first.is_none()
            && let Poll::Ready(value) = one.as_mut().poll(cx)
        {
            first = Some(value);
        }
        if second.is_none()
            && let Poll::Ready(value) = other.as_mut().poll(cx)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// Waits for futures of one kind. Returns their values in order, or the first error.
pub(super) async fn all<T, E>(
    futures: impl Iterator<Item = impl Future<Output = Result<T, E>>>,
) -> Result<Vec<T>, E> {
    let mut waiting: Vec<_> = futures
        .map(|future| (Some(Box::pin(future)), None))
        .collect();
    poll_fn(|cx| {
        let mut is_done = true;
        for (future, value) in &mut waiting {
            let Some(running) = future else {
                continue;
            };
            match running.as_mut().poll(cx) {
                Poll::Ready(Ok(ready)) => (*future, *value) = (None, Some(ready)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => is_done = false,
            }
        }
        if !is_done {
            return Poll::Pending;
        }
        Poll::Ready(Ok(waiting
            .drain(..)
            .filter_map(|(_, value)| value)
            .collect()))
    })
    .await
}

/// Waits for a future, but not longer than for `sleep`. Returns `None` if that ends first.
pub(super) async fn within<T>(
    sleep: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let (mut sleep, mut work) = (pin!(sleep), pin!(work));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Tells one future of a task that another one has ended.
#[derive(Clone, Default)]
pub(super) struct Done(Rc<(Cell<bool>, RefCell<Option<Waker>>)>);

impl Done {
    pub(super) fn set(&self) {
        self.0.0.set(true);
        if let Some(waker) = self.0.1.take() {
            waker.wake();
        }
    }

    pub(super) async fn wait(&self) {
        poll_fn(|cx| match self.0.0.get() {
            true => Poll::Ready(()),
            false => {
                self.0.1.replace(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await;
    }
}
