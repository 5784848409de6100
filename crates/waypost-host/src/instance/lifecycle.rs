//! Whether an instance's request is still wanted, and why an instance has to end.
//!
//! WASI HTTP tells neither side about the other: an instance does not learn that its client left, and a client does not
//! learn that the instance failed while it streamed. Each instance has one [`Lifecycle`], which knows both. Whoever wants
//! the response holds a [`Call`], first while waiting and then inside the response body.
//!
//! | the caller | the request |
//! | --- | --- |
//! | waits for the response | is wanted |
//! | leaves before the response, or has waited for too long | is not wanted; the instance must end |
//! | has the response, and reads the body | is wanted |
//! | has read the body, or dropped it | is not wanted; the guest may work on for a while |
//!
//! When the guest has nothing left to do the request is *settled*. What its caller still does with the response does not
//! concern the instance any more, which may take the next request.

pub(crate) mod registry;

use futures::task::AtomicWaker;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Why an instance must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// Its caller left before the response began.
    Abandoned,
    /// It gave no response in time.
    Overdue,
    /// The host stops.
    Shutdown,
}

/// The state of one instance and of its request.
#[derive(Default)]
pub(crate) struct Lifecycle {
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Default)]
struct State {
    /// Number of the current request: how many were settled before.
    request: u64,
    /// Whether somebody wants the response to the current request.
    is_wanted: bool,
    end: Option<EndReason>,
    /// The request during which the instance failed.
    failed: Option<u64>,
    /// The request during which the app had no memory left for the instance.
    lacked_memory: Option<u64>,
}

/// The caller's end of a request. Dropping it tells the instance that nobody wants the response any more.
pub(crate) struct Call {
    lifecycle: Arc<Lifecycle>,
    request: u64,
    is_answered: bool,
}

impl Lifecycle {
    /// Begins the next request.
    pub(crate) fn begin(self: &Arc<Self>) -> Call {
        let mut state = self.lock();
        state.is_wanted = true;
        Call {
            lifecycle: Arc::clone(self),
            request: state.request,
            is_answered: false,
        }
    }

    /// Ends the current request, as the guest has nothing left to do for it.
    pub(crate) fn settle(&self) {
        let mut state = self.lock();
        state.request += 1;
        state.is_wanted = false;
    }

    /// Returns whether the response to the current request is wanted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.lock().is_wanted
    }

    /// Makes the instance end. The first reason stays.
    pub(crate) fn end(&self, reason: EndReason) {
        self.lock().end.get_or_insert(reason);
        self.waker.wake();
    }

    /// Returns why the instance must end, or `None` if it may go on.
    pub(crate) fn end_reason(&self) -> Option<EndReason> {
        self.lock().end
    }

    /// Records that the instance failed: the caller gets no more of the response.
    pub(crate) fn fail(&self) {
        let mut state = self.lock();
        state.failed = Some(state.request);
    }

    /// Records that the app had no memory left for the instance.
    pub(crate) fn lack_memory(&self) {
        let mut state = self.lock();
        state.lacked_memory = Some(state.request);
    }

    /// Registers the task to wake when the state changes.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Changes the state if `request` is the current one, and wakes the instance then.
    fn change(&self, request: u64, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if state.request == request {
            change(&mut state);
            drop(state);
            self.waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    /// Records that the response arrived: from now on the request ends with its body.
    pub(crate) fn answered(&mut self) {
        self.is_answered = true;
    }

    /// Gives the request up, as no response came in time: the instance must end.
    pub(crate) fn overdue(self) {
        self.lifecycle.change(self.request, |state| {
            state.end.get_or_insert(EndReason::Overdue);
        });
    }

    /// Returns whether the app had no memory left for the instance during this request.
    pub(crate) fn lacked_memory(&self) -> bool {
        self.lifecycle.lock().lacked_memory == Some(self.request)
    }

    /// Returns whether the instance failed during this request.
    pub(crate) fn has_failed(&self) -> bool {
        self.lifecycle.lock().failed == Some(self.request)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let is_answered = self.is_answered;
        self.lifecycle.change(self.request, |state| {
            state.is_wanted = false;
            if !is_answered {
                state.end.get_or_insert(EndReason::Abandoned);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> (Arc<Lifecycle>, Call) {
        let lifecycle = Arc::new(Lifecycle::default());
        let call = lifecycle.begin();
        (lifecycle, call)
    }

    #[test]
    fn an_answered_request_ends_with_its_caller() {
        let (lifecycle, mut call) = started();
        call.answered();
        assert!(lifecycle.is_wanted());
        drop(call);
        assert!(!lifecycle.is_wanted());
        assert_eq!(lifecycle.end_reason(), None);
    }

    #[test]
    fn an_instance_ends_when_its_caller_leaves_before_the_response() {
        let (lifecycle, call) = started();
        drop(call);
        assert!(!lifecycle.is_wanted());
        assert_eq!(lifecycle.end_reason(), Some(EndReason::Abandoned));
    }

    #[test]
    fn an_instance_ends_when_its_response_is_overdue() {
        let (lifecycle, call) = started();
        call.overdue();
        assert!(!lifecycle.is_wanted());
        assert_eq!(lifecycle.end_reason(), Some(EndReason::Overdue));
    }

    #[test]
    fn a_settled_request_does_not_fail_with_the_next() {
        let (lifecycle, mut call) = started();
        call.answered();
        lifecycle.settle();
        assert!(!lifecycle.is_wanted());
        let next = lifecycle.begin();
        lifecycle.fail();
        assert!(!call.has_failed());
        assert!(next.has_failed());
        drop(call);
        assert!(lifecycle.is_wanted());
    }
}
