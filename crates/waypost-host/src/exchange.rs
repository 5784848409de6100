//! The tie between one request and the instance that serves it.
//!
//! WASI HTTP tells neither side about the other: an instance does not learn that its client went
//! away, and a client does not learn that the instance failed while it streamed. An exchange carries
//! both. The requesting side holds a [`Caller`], first while it waits and then inside the response
//! body; the instance holds an [`Activity`].
//!
//! Invariant: an instance counts a request as open from its start until the caller is dropped or the
//! guest has nothing left to do, so a stream in progress keeps other requests (and their traps) out.

use crate::activity::Activity;
use crate::admission::Permit;
use crate::context::RequestContext;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Makes the two ends of an exchange: the ticket travels with the request to an instance.
pub(crate) fn exchange(context: RequestContext, place: Option<Arc<Permit>>) -> (Ticket, Caller) {
    let link = Arc::new(Link(Mutex::new(LinkState::Queued)));
    let ticket = Ticket {
        context,
        _place: place,
        link: Arc::clone(&link),
    };
    (ticket, Caller { link })
}

/// Goes with a request to the instance that takes it.
pub(crate) struct Ticket {
    /// Whose request it is.
    pub(crate) context: RequestContext,
    /// Its place among the requests of its route. The instance keeps it until it is done, since it takes up as much
    /// after its client has left; a client that comes and goes can't have more instances than places.
    _place: Option<Arc<Permit>>,
    link: Arc<Link>,
}

/// Held by whoever wants the response: dropping it tells the instance that nobody listens any more.
pub(crate) struct Caller {
    link: Arc<Link>,
}

struct Link(Mutex<LinkState>);

enum LinkState {
    Queued,
    Running(Run),
    Closed,
}

struct Run {
    activity: Arc<Activity>,
    generation: u64,
    answered: bool,
}

impl Ticket {
    /// Counts the request as open in `activity`, or gives the instance up when the caller left already.
    pub(crate) fn start(&self, activity: &Arc<Activity>) {
        let mut state = self.link.lock();
        let generation = activity.begin();
        match *state {
            LinkState::Queued | LinkState::Running(_) => {
                *state = LinkState::Running(Run {
                    activity: Arc::clone(activity),
                    generation,
                    answered: false,
                });
            }
            LinkState::Closed => activity.abandon(generation),
        }
    }
}

impl Caller {
    /// Records that the head of the response arrived: from here the body's end is the request's end.
    pub(crate) fn answered(&self) {
        if let LinkState::Running(run) = &mut *self.link.lock() {
            run.answered = true;
        }
    }

    /// Gives the request up, as no response came in time: the instance must end.
    pub(crate) fn overdue(self) {
        if let LinkState::Running(run) = &*self.link.lock() {
            run.activity.overdue(run.generation);
        }
    }

    /// Tells whether the instance failed while this request was open.
    pub(crate) fn has_failed(&self) -> bool {
        match &*self.link.lock() {
            LinkState::Running(run) => run.activity.has_failed(run.generation),
            LinkState::Queued | LinkState::Closed => false,
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *self.link.lock(), LinkState::Closed);
        if let LinkState::Running(run) = state {
            if run.answered {
                run.activity.end(run.generation);
            } else {
                run.activity.abandon(run.generation);
            }
        }
    }
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, LinkState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Doom;

    fn started() -> (Arc<Activity>, Ticket, Caller) {
        let activity = Arc::new(Activity::default());
        let (ticket, caller) = exchange(RequestContext::from_client(), None);
        ticket.start(&activity);
        (activity, ticket, caller)
    }

    #[test]
    fn an_answered_request_ends_with_its_caller() {
        let (activity, _ticket, caller) = started();
        caller.answered();
        assert_eq!(activity.open(), 1);
        drop(caller);
        assert_eq!((activity.open(), activity.doom()), (0, None));
    }

    #[test]
    fn a_caller_that_leaves_dooms_the_instance() {
        let (activity, _ticket, caller) = started();
        drop(caller);
        assert_eq!(
            (activity.open(), activity.doom()),
            (0, Some(Doom::Abandoned))
        );
    }

    #[test]
    fn a_caller_that_left_before_the_start_dooms_it_too() {
        let activity = Arc::new(Activity::default());
        let (ticket, caller) = exchange(RequestContext::from_client(), None);
        drop(caller);
        ticket.start(&activity);
        assert_eq!(
            (activity.open(), activity.doom()),
            (0, Some(Doom::Abandoned))
        );
    }

    #[test]
    fn a_settled_request_does_not_fail_with_the_next() {
        let (activity, _ticket, caller) = started();
        caller.answered();
        activity.settle();
        assert_eq!(activity.open(), 0);
        let (next, next_caller) = exchange(RequestContext::from_client(), None);
        next.start(&activity);
        activity.fail();
        assert!(!caller.has_failed());
        assert!(next_caller.has_failed());
        drop(caller);
        assert_eq!(activity.open(), 1);
    }
}
