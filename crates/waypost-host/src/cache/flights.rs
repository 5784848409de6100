//! [`Flights`]: the runs that fill the cache now, of which there is one for a key.

use super::shared_body::SharedBody;
use super::stored::{SlotTokens, Stored, StoredHead};
use super::tokens::TokenTable;
use http::StatusCode;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use waypost_cache::{Key, Verdict};

/// The runs that fill the cache now.
#[derive(Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Key, Flight>>>);

struct Flight {
    /// The tokens before the run. A request that came after a later invalidation must not wait for it.
    tokens: Arc<SlotTokens>,
    progress: watch::Receiver<Progress>,
}

/// How far a run has come, for the requests that wait for it.
#[derive(Clone)]
pub(super) enum Progress {
    /// There is no response yet.
    Running,
    /// The response is being sent.
    Streaming(Arc<Streaming>),
    /// The response was stored.
    Stored(Arc<Stored>),
    /// The run failed with this status.
    Failed(StatusCode),
    /// The response can't be shared, so each request needs a run of its own.
    NotShared,
}

/// A response whose body arrives.
pub(super) struct Streaming {
    pub(super) head: StoredHead,
    pub(super) body: Arc<SharedBody>,
    pub(super) length: Option<u64>,
    pub(super) tokens: Arc<SlotTokens>,
}

/// What a request for a key does.
pub(super) enum Role {
    /// It runs the handler, and reports to the others.
    Lead(Leader),
    /// It waits for the run of another request.
    Follow(watch::Receiver<Progress>),
}

impl Flights {
    /// Joins the run for a key, or begins one with these tokens.
    pub(super) fn join(&self, key: &Key, table: &TokenTable, tokens: &Arc<SlotTokens>) -> Role {
        let mut flights = lock(&self.0);
        match flights.get(key) {
            Some(flight) if flight.tokens.verdict(table) != Verdict::Gone => {
                Role::Follow(flight.progress.clone())
            }
            _ => Role::Lead(self.lead(&mut flights, key, tokens)),
        }
    }

    /// Begins a run for a key, unless there is one.
    pub(super) fn begin(&self, key: &Key, tokens: &Arc<SlotTokens>) -> Option<Leader> {
        let mut flights = lock(&self.0);
        match flights.contains_key(key) {
            true => None,
            false => Some(self.lead(&mut flights, key, tokens)),
        }
    }

    fn lead(
        &self,
        flights: &mut HashMap<Key, Flight>,
        key: &Key,
        tokens: &Arc<SlotTokens>,
    ) -> Leader {
        let (send, progress) = watch::channel(Progress::Running);
        let tokens = Arc::clone(tokens);
        flights.insert(key.clone(), Flight { tokens, progress });
        Leader {
            flights: Arc::clone(&self.0),
            key: key.clone(),
            progress: send,
        }
    }
}

/// The run of a flight. When this is dropped, the flight is over: requests that still wait for it begin anew.
pub(super) struct Leader {
    flights: Arc<Mutex<HashMap<Key, Flight>>>,
    key: Key,
    progress: watch::Sender<Progress>,
}

impl Leader {
    /// Tells the requests that wait how far the run has come.
    pub(super) fn report(&self, progress: Progress) {
        self.progress.send_replace(progress);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // Another run may have taken the place of this one.
        if let Entry::Occupied(flight) = lock(&self.flights).entry(self.key.clone())
            && flight
                .get()
                .progress
                .same_channel(&self.progress.subscribe())
        {
            flight.remove();
        }
    }
}

fn lock(flights: &Mutex<HashMap<Key, Flight>>) -> MutexGuard<'_, HashMap<Key, Flight>> {
    flights.lock().unwrap_or_else(PoisonError::into_inner)
}
