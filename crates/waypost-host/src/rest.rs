//! The work of an instance for a request, where it is done within the task of a client's connection.

use crate::lasting::Lasting;
use futures::task::AtomicWaker;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// How often work that wakes itself is gone on with at once, before others have their turn.
const ROUNDS: usize = 4;

/// An instance's work for a request, or what is left of it.
///
/// Most of it is done as soon as it is asked for, but the parts of an instance wake each other on the way. Those calls
/// end here: in the task's own waker each would have the whole connection looked at once more, for nothing.
pub(crate) struct Rest {
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    lasts: bool,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Rest {
    /// Begins with all of the work. Dropped now, it ends.
    pub(crate) fn of(work: impl Future<Output = ()> + Send + 'static) -> Self {
        let bell = Arc::new(Bell {
            state: AtomicU8::new(RUNG),
            task: AtomicWaker::new(),
        });
        let waker = Waker::from(Arc::clone(&bell));
        Self {
            work: Some(Box::pin(work)),
            lasts: false,
            bell,
            waker,
        }
    }

    /// From now on it goes on when it is dropped, in a task of its own.
    pub(crate) fn last(&mut self) {
        self.lasts = true;
    }

    /// Does what can be done at the moment, and gives what `wanted` then gives. While that is pending, the task is woken
    /// by either.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.bell.task.register(cx.waker());
        for _ in 0..ROUNDS {
            self.go_on();
            if let Poll::Ready(given) = wanted(cx) {
                return Poll::Ready(given);
            }
            if self.bell.listen() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does what can be done at the moment. Who was not called has nothing to do: a guest that waits for its turn must
    /// not have it before.
    pub(crate) fn go_on(&mut self) {
        if !self.bell.take_call() {
            return;
        }
        let Some(work) = &mut self.work else { return };
        let mut cx = Context::from_waker(&self.waker);
        if work.as_mut().poll(&mut cx).is_ready() {
            self.work = None;
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Some(work) = self.work.take()
            && self.lasts
        {
            drop(Lasting::new(work));
        }
    }
}

/// Wakes a task while it waits; while it works, remembers that it was to be woken.
struct Bell {
    state: AtomicU8,
    task: AtomicWaker,
}

const WORKING: u8 = 0;
const RUNG: u8 = 1;
const WAITING: u8 = 2;

impl Bell {
    /// Tells whether it was rung, and has it silent.
    fn take_call(&self) -> bool {
        self.state.swap(WORKING, Ordering::AcqRel) == RUNG
    }

    /// Begins to wait, unless it was rung meanwhile.
    fn listen(&self) -> bool {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let exchanged = self
            .state
            .compare_exchange(WORKING, WAITING, success, failure);
        exchanged.is_ok()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(RUNG, Ordering::AcqRel) == WAITING {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::channel::oneshot;
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    /// Counts the calls that reach a task.
    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll<T>(calls: &Arc<Calls>, rest: &mut Rest, wanted: impl FnMut() -> Poll<T>) -> Poll<T> {
        let waker = Waker::from(Arc::clone(calls));
        let mut wanted = wanted;
        rest.poll(&mut Context::from_waker(&waker), |_| wanted())
    }

    #[test]
    fn what_wakes_itself_is_gone_on_with_and_wakes_nobody() {
        let calls = Arc::new(Calls::default());
        let mut rounds = 0;
        let work = poll_fn(move |cx| {
            rounds += 1;
            cx.waker().wake_by_ref();
            match rounds {
                3 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        });
        let mut rest = Rest::of(work);
        assert_eq!(poll(&calls, &mut rest, || Poll::Ready(1)), Poll::Ready(1));
        assert!(poll::<()>(&calls, &mut rest, || Poll::Pending).is_pending());
        assert_eq!(calls.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_never_rests_lets_others_have_their_turn() {
        let calls = Arc::new(Calls::default());
        let work = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        let mut rest = Rest::of(work);
        assert!(poll::<()>(&calls, &mut rest, || Poll::Pending).is_pending());
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_task_that_waits_is_woken() {
        let (send, receive) = oneshot::channel();
        let (done, mut is_done) = oneshot::channel();
        let mut rest = Rest::of(async {
            let sent = receive.await.unwrap_or_default();
            done.send(sent).ok();
        });
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            send.send(7)
        });
        let answer = poll_fn(|cx| rest.poll(cx, |cx| Pin::new(&mut is_done).poll(cx)));
        assert_eq!(answer.await, Ok(7));
    }

    #[test]
    fn who_was_not_called_does_nothing() {
        let calls = Arc::new(Calls::default());
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let mut rest = Rest::of(poll_fn(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Poll::Pending
        }));
        for _ in 0..3 {
            assert!(poll::<()>(&calls, &mut rest, || Poll::Pending).is_pending());
            rest.go_on();
        }
        assert_eq!(polls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_dropped_ends_unless_it_is_to_last() {
        for lasts in [false, true] {
            let (done, is_done) = oneshot::channel();
            let mut rest = Rest::of(async {
                tokio::task::yield_now().await;
                done.send(7).ok();
            });
            rest.go_on();
            if lasts {
                rest.last();
            }
            drop(rest);
            assert_eq!(is_done.await.is_ok(), lasts);
        }
    }
}
