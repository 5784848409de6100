//! The work of an instance for a request, done within the task of a client's connection.

use super::detach::Detachable;
use futures::task::AtomicWaker;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// How often work that wakes itself is polled again at once, before other tasks have their turn.
const ROUNDS: usize = 4;

/// An instance's work for a request, or what is left of it.
///
/// The parts of an instance wake each other while they work. Those wake-ups end here: with the task's own waker each would
/// poll the whole connection once more, for nothing.
pub(crate) struct InlineWork {
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_detachable: bool,
    alarm: Arc<Alarm>,
    waker: Waker,
}

impl InlineWork {
    /// Makes the work, which has not begun. It ends when it is dropped.
    pub(crate) fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        let alarm = Arc::new(Alarm {
            state: AtomicU8::new(WOKEN),
            task: AtomicWaker::new(),
        });
        let waker = Waker::from(Arc::clone(&alarm));
        Self {
            work: Some(Box::pin(work)),
            is_detachable: false,
            alarm,
            waker,
        }
    }

    /// From now on, the work goes on in a task of its own when it is dropped.
    pub(crate) fn detach_on_drop(&mut self) {
        self.is_detachable = true;
    }

    /// Does the work that can be done now, and polls `wanted` then. While `wanted` is pending, it and the work wake the task.
    pub(crate) fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.alarm.task.register(cx.waker());
        for _ in 0..ROUNDS {
            self.resume();
            if let Poll::Ready(value) = wanted(cx) {
                return Poll::Ready(value);
            }
            if self.alarm.listen() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does the work that can be done now, if something woke it: a guest that waits for its turn must not run before.
    pub(crate) fn resume(&mut self) {
        if !self.alarm.take() {
            return;
        }
        let Some(work) = &mut self.work else { return };
        let mut cx = Context::from_waker(&self.waker);
        if work.as_mut().poll(&mut cx).is_ready() {
            self.work = None;
        }
    }
}

impl Drop for InlineWork {
    fn drop(&mut self) {
        if let Some(work) = self.work.take()
            && self.is_detachable
        {
            drop(Detachable::new(work));
        }
    }
}

/// Wakes a task that waits, and remembers a wake-up for one that works.
struct Alarm {
    state: AtomicU8,
    task: AtomicWaker,
}

const WORKING: u8 = 0;
const WOKEN: u8 = 1;
const WAITING: u8 = 2;

impl Alarm {
    /// Returns whether there was a wake-up, and forgets it.
    fn take(&self) -> bool {
        self.state.swap(WORKING, Ordering::AcqRel) == WOKEN
    }

    /// Begins to wait, or returns `false` if there was a wake-up meanwhile.
    fn listen(&self) -> bool {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let exchanged = self
            .state
            .compare_exchange(WORKING, WAITING, success, failure);
        exchanged.is_ok()
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == WAITING {
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

    /// Counts the wake-ups that reach a task.
    #[derive(Default)]
    struct WakeUps(AtomicUsize);

    impl Wake for WakeUps {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll<T>(
        wake_ups: &Arc<WakeUps>,
        work: &mut InlineWork,
        wanted: impl FnMut() -> Poll<T>,
    ) -> Poll<T> {
        let waker = Waker::from(Arc::clone(wake_ups));
        let mut wanted = wanted;
        work.poll_with(&mut Context::from_waker(&waker), |_| wanted())
    }

    #[test]
    fn work_that_wakes_itself_is_polled_again_and_wakes_nobody() {
        let wake_ups = Arc::new(WakeUps::default());
        let mut rounds = 0;
        let work = poll_fn(move |cx| {
            rounds += 1;
            cx.waker().wake_by_ref();
            match rounds {
                3 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        });
        let mut inline = InlineWork::new(work);
        assert_eq!(
            poll(&wake_ups, &mut inline, || Poll::Ready(1)),
            Poll::Ready(1)
        );
        assert!(poll::<()>(&wake_ups, &mut inline, || Poll::Pending).is_pending());
        assert_eq!(wake_ups.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn work_that_never_waits_lets_other_tasks_have_their_turn() {
        let wake_ups = Arc::new(WakeUps::default());
        let work = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        let mut inline = InlineWork::new(work);
        assert!(poll::<()>(&wake_ups, &mut inline, || Poll::Pending).is_pending());
        assert_eq!(wake_ups.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_task_that_waits_is_woken() {
        let (send, receive) = oneshot::channel();
        let (done, mut is_done) = oneshot::channel();
        let mut inline = InlineWork::new(async {
            let sent = receive.await.unwrap_or_default();
            done.send(sent).ok();
        });
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            send.send(7)
        });
        let answer = poll_fn(|cx| inline.poll_with(cx, |cx| Pin::new(&mut is_done).poll(cx)));
        assert_eq!(answer.await, Ok(7));
    }

    #[test]
    fn work_that_nothing_woke_is_not_polled() {
        let wake_ups = Arc::new(WakeUps::default());
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let mut inline = InlineWork::new(poll_fn(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Poll::Pending
        }));
        for _ in 0..3 {
            assert!(poll::<()>(&wake_ups, &mut inline, || Poll::Pending).is_pending());
            inline.resume();
        }
        assert_eq!(polls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn work_that_is_dropped_ends_unless_it_is_to_be_detached() {
        for is_detached in [false, true] {
            let (done, is_done) = oneshot::channel();
            let mut inline = InlineWork::new(async {
                tokio::task::yield_now().await;
                done.send(7).ok();
            });
            inline.resume();
            if is_detached {
                inline.detach_on_drop();
            }
            drop(inline);
            assert_eq!(is_done.await.is_ok(), is_detached);
        }
    }
}
