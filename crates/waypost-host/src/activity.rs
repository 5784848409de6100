//! What an instance is busy with, as far as the clients are concerned.

use futures::task::AtomicWaker;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Why an instance must not serve any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    /// Its client went away before the response began.
    Abandoned,
    /// It gave no response in time.
    Overdue,
    /// The host stops.
    Shutdown,
}

/// The open requests of one instance.
///
/// Requests belong to a generation. When the guest has nothing left to do its requests are *settled*:
/// a new generation begins, and what still happens to the old ones does not concern the instance.
#[derive(Default)]
pub(crate) struct Activity {
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Default)]
struct State {
    generation: u64,
    open: usize,
    doom: Option<Doom>,
    failed: Option<u64>,
}

impl Activity {
    /// Counts one more request as open; gives its generation.
    pub(crate) fn begin(&self) -> u64 {
        let mut state = self.lock();
        state.open += 1;
        state.generation
    }

    /// Records that an answered request is over, and wakes the instance.
    pub(crate) fn end(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation == generation {
            state.open -= 1;
            drop(state);
            self.waker.wake();
        }
    }

    /// Records that the client of an unanswered request left: the instance must end.
    pub(crate) fn abandon(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation == generation {
            state.open -= 1;
            state.doom.get_or_insert(Doom::Abandoned);
            drop(state);
            self.waker.wake();
        }
    }

    /// Records that a request got no response in time: the instance must end.
    pub(crate) fn overdue(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation == generation {
            state.doom.get_or_insert(Doom::Overdue);
            drop(state);
            self.waker.wake();
        }
    }

    /// Lets go of all requests, as the guest has nothing left to do.
    pub(crate) fn settle(&self) {
        let mut state = self.lock();
        state.generation += 1;
        state.open = 0;
    }

    /// How many requests there are whose response is still wanted.
    pub(crate) fn open(&self) -> usize {
        self.lock().open
    }

    /// Makes the instance end; the first reason stays.
    pub(crate) fn condemn(&self, doom: Doom) {
        self.lock().doom.get_or_insert(doom);
        self.waker.wake();
    }

    /// Records that the instance trapped: what its open requests still wait for will not come.
    pub(crate) fn fail(&self) {
        let mut state = self.lock();
        state.failed = Some(state.generation);
    }

    /// Tells whether the instance failed while the requests of `generation` were open.
    pub(crate) fn has_failed(&self, generation: u64) -> bool {
        self.lock().failed == Some(generation)
    }

    /// Why the instance must end, if it must.
    pub(crate) fn doom(&self) -> Option<Doom> {
        self.lock().doom
    }

    /// Registers who is to be woken when any of this changes.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
