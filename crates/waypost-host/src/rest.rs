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

/// What is left of an instance's work for a request; dropped, it goes on in a task of its own.
///
/// Most of it is done as soon as it is asked for, but the parts of an instance wake each other on the way. Those calls
/// end here: in the task's own waker each would have the whole connection looked at once more, for nothing.
pub(crate) struct Rest {
    work: Lasting<()>,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Rest {
    /// Goes on with `work`.
    pub(crate) fn of(work: Lasting<()>) -> Self {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        Self { work, bell, waker }
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

    /// Does what can be done at the moment.
    pub(crate) fn go_on(&mut self) {
        self.bell.mute();
        let mut cx = Context::from_waker(&self.waker);
        // There is nothing to be given.
        let _ = Pin::new(&mut self.work).poll(&mut cx);
    }
}

/// Wakes a task while it waits; while it works, remembers that it was to be woken.
#[derive(Default)]
struct Bell {
    state: AtomicU8,
    task: AtomicWaker,
}

const WORKING: u8 = 0;
const RUNG: u8 = 1;
const WAITING: u8 = 2;

impl Bell {
    fn mute(&self) {
        self.state.swap(WORKING, Ordering::AcqRel);
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
        let mut rest = Rest::of(Lasting::new(work));
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
        let mut rest = Rest::of(Lasting::new(work));
        assert!(poll::<()>(&calls, &mut rest, || Poll::Pending).is_pending());
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_task_that_waits_is_woken() {
        let (send, receive) = oneshot::channel();
        let (done, mut is_done) = oneshot::channel();
        let mut rest = Rest::of(Lasting::new(async {
            let sent = receive.await.unwrap_or_default();
            done.send(sent).ok();
        }));
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            send.send(7)
        });
        let answer = poll_fn(|cx| rest.poll(cx, |cx| Pin::new(&mut is_done).poll(cx)));
        assert_eq!(answer.await, Ok(7));
    }

    #[tokio::test]
    async fn what_is_dropped_goes_on() {
        let (done, is_done) = oneshot::channel();
        let mut rest = Rest::of(Lasting::new(async {
            tokio::task::yield_now().await;
            done.send(7).ok();
        }));
        rest.go_on();
        drop(rest);
        assert_eq!(is_done.await, Ok(7));
    }
}
