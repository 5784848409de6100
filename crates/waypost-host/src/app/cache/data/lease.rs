//! [`Leases`]: the values that one instance makes.

use super::Stored;
use crate::app::cache::flights::Leader;
use crate::app::cache::invalidations::Dependencies;
use crate::request::admission::Permit;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use waypost_cache::Key;

/// How many values an instance may make at once for the cache.
pub(super) const LEASES: usize = 64;

/// The permission to store the value of a key. When it is dropped, those that wait for the value begin anew.
pub(super) struct Lease {
    pub(super) key: Key,
    pub(super) leader: Leader,
    /// What the value depends on, as far as it was known before it was made.
    pub(super) dependencies: Arc<Dependencies>,
    /// When it began to be made, as a time since the Unix epoch.
    pub(super) made: Duration,
    /// The stale value that it is to replace.
    pub(super) stale: Option<Arc<Stored>>,
    /// Its place among those of the component.
    pub(super) _place: Option<Permit>,
}

/// The leases of one instance. Their numbers mean nothing to other instances.
#[derive(Default)]
pub(super) struct Leases(Mutex<Held>);

#[derive(Default)]
struct Held {
    leases: HashMap<u64, Lease>,
    last: u64,
}

impl Leases {
    /// Keeps a lease, and returns its number, or `None` if the instance has too many.
    pub(super) fn keep(&self, lease: Lease) -> Option<u64> {
        let mut held = self.lock();
        if held.leases.len() >= LEASES {
            return None;
        }
        held.last += 1;
        let number = held.last;
        held.leases.insert(number, lease);
        Some(number)
    }

    /// Takes a lease, or returns `None` if it has ended.
    pub(super) fn take(&self, number: u64) -> Option<Lease> {
        self.lock().leases.remove(&number)
    }

    /// Returns whether the instance itself makes the value of a key: it must not wait for that.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.lock().leases.values().any(|lease| lease.key == *key)
    }

    /// Ends all of them.
    pub(super) fn end_all(&self) {
        // Not under the lock: others are woken.
        let ended = std::mem::take(&mut self.lock().leases);
        drop(ended);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
