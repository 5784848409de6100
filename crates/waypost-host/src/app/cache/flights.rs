//! [`Flights`]: the runs that fill the cache now, of which there is one for a key.

use super::invalidations::{Dependencies, Invalidations};
use super::shared_body::SharedBody;
use super::stored::{Stored, StoredHead};
use http::{HeaderMap, StatusCode};
use std::collections::HashMap;
use std::collections::hash_map::{Entry, OccupiedEntry};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use waypost_cache::{Key, Verdict};

/// The runs that fill the cache now.
#[derive(Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Key, Flight>>>);

struct Flight {
    /// What its response depends on. A request that came after an invalidation must not wait for an earlier run.
    dependencies: Arc<Dependencies>,
    progress: watch::Receiver<Progress>,
}

/// How far a run has come, for the requests that wait for it.
#[derive(Clone)]
pub(super) enum Progress {
    /// The handler has not responded yet.
    Running,
    /// The response is being sent.
    Streaming(Arc<Streaming>),
    /// The response was stored.
    Stored(Arc<Stored>),
    /// The run failed: the status of its response, and the headers that others get too.
    Failed(StatusCode, HeaderMap),
    /// The response can't be shared, so each request needs a run of its own.
    NotShared,
}

/// A response whose body arrives.
pub(super) struct Streaming {
    pub(super) head: StoredHead,
    pub(super) body: Arc<SharedBody>,
    pub(super) length: Option<u64>,
    pub(super) dependencies: Arc<Dependencies>,
}

/// What a request for a key does.
pub(super) enum Role {
    /// It runs the handler, and reports to the others.
    Lead(Leader),
    /// It waits for the run of another request.
    Follow(watch::Receiver<Progress>),
}

impl Flights {
    /// Joins the run for a key, or begins one whose response has these dependencies.
    pub(super) fn join(
        &self,
        key: &Key,
        invalidations: &Invalidations,
        dependencies: &Arc<Dependencies>,
    ) -> Role {
        let mut flights = lock(&self.0);
        match flights.get(key) {
            Some(flight) if invalidations.verdict(&flight.dependencies) != Verdict::Gone => {
                Role::Follow(flight.progress.clone())
            }
            _ => Role::Lead(self.lead(&mut flights, key, dependencies)),
        }
    }

    /// Begins a run for a key, unless there is one.
    pub(super) fn begin(&self, key: &Key, dependencies: &Arc<Dependencies>) -> Option<Leader> {
        let mut flights = lock(&self.0);
        match flights.contains_key(key) {
            true => None,
            false => Some(self.lead(&mut flights, key, dependencies)),
        }
    }

    /// Returns whether a run for a key is under way.
    pub(super) fn has(&self, key: &Key) -> bool {
        lock(&self.0).contains_key(key)
    }

    fn lead(
        &self,
        flights: &mut HashMap<Key, Flight>,
        key: &Key,
        dependencies: &Arc<Dependencies>,
    ) -> Leader {
        let (send, progress) = watch::channel(Progress::Running);
        let flight = Flight {
            dependencies: Arc::clone(dependencies),
            progress,
        };
        flights.insert(key.clone(), flight);
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
    /// Reports the progress of the run to the requests that wait for it.
    pub(super) fn report(&self, progress: Progress) {
        if let Progress::Streaming(streaming) = &progress {
            // It may have tags of its own.
            self.with_flight(|mut flight| {
                flight.get_mut().dependencies = Arc::clone(&streaming.dependencies);
            });
        }
        self.progress.send_replace(progress);
    }

    /// Calls `use_it` with the flight of this run, unless another run has taken its place.
    fn with_flight(&self, use_it: impl FnOnce(OccupiedEntry<'_, Key, Flight>)) {
        if let Entry::Occupied(flight) = lock(&self.flights).entry(self.key.clone())
            && flight
                .get()
                .progress
                .same_channel(&self.progress.subscribe())
        {
            use_it(flight);
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.with_flight(|flight| drop(flight.remove()));
    }
}

fn lock(flights: &Mutex<HashMap<Key, Flight>>) -> MutexGuard<'_, HashMap<Key, Flight>> {
    flights.lock().unwrap_or_else(PoisonError::into_inner)
}
