//! [`Memory`]: the stored responses, within a bound.

use super::stored::Stored;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use waypost_cache::Key;
use waypost_cache::storable::HIT_FOR_MISS;

/// The stored responses. The one that is asked for least makes room for a new one (S3-FIFO: a response that was asked for once,
/// as by a crawler, goes first).
pub(super) struct Memory {
    entries: Cache<Key, Arc<Stored>, ByWeight>,
    capacity: u64,
    /// Until when the responses of a key are taken for uncacheable, as a time since the Unix epoch. It has hashes of keys,
    /// which are small: two keys with the same one are only not cached for a while.
    uncacheable: Cache<u64, Duration>,
    hash: RandomState,
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<Key, Arc<Stored>> for ByWeight {
    fn weight(&self, key: &Key, stored: &Arc<Stored>) -> u64 {
        // The map holds the key.
        let key = key.as_bytes().len();
        u64::try_from(stored.weight(key)).unwrap_or(u64::MAX)
    }
}

/// The size for which the map is made: what a response of an API mostly takes.
const USUAL_WEIGHT: u64 = 4 << 10;

/// How many keys are remembered as uncacheable.
const UNCACHEABLE: usize = 4096;

/// The most parts of the memory, each with a lock of its own.
const MOST_SHARDS: u64 = 64;

impl Memory {
    /// Makes an empty memory of `capacity` bytes, for bodies of at most `entry` bytes.
    pub(super) fn new(capacity: u64, entry: u64) -> Self {
        let estimated = usize::try_from(capacity / USUAL_WEIGHT).unwrap_or(usize::MAX);
        // The largest entry has to fit into one part.
        let shards = (capacity / entry.saturating_mul(2).max(1)).clamp(1, MOST_SHARDS);
        // It rounds up to a power of two.
        let shards = 1 << shards.ilog2();
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(estimated.clamp(64, 1 << 20))
            .weight_capacity(capacity)
            .build();
        let entries = match options {
            Ok(options) => Cache::with_options(
                options,
                ByWeight,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            Err(error) => unreachable!("both capacities are set: {error}"),
        };
        Self {
            entries,
            capacity,
            uncacheable: Cache::new(UNCACHEABLE),
            hash: RandomState::new(),
        }
    }

    /// Returns the largest size of all entries, in bytes.
    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Stored>> {
        self.entries.get(key)
    }

    /// Stores a response, unless there is a newer one already.
    pub(super) fn put(&self, key: Key, stored: Arc<Stored>) {
        let is_newer = |other: Arc<Stored>| other.head.made > stored.head.made;
        if !self.entries.get(&key).is_some_and(is_newer) {
            self.entries.insert(key, stored);
        }
    }

    /// Puts another form of a response in its place, unless another one took it.
    pub(super) fn replace(&self, key: &Key, stored: &Arc<Stored>, new: Arc<Stored>) {
        let is_there = |other: Arc<Stored>| Arc::ptr_eq(&other, stored);
        if self.entries.get(key).is_some_and(is_there) {
            // A larger one than the memory allows is not admitted, and the old one is dropped.
            let _ = self.entries.replace(key.clone(), new, true);
        }
    }

    /// Removes a response, unless another one took its place.
    pub(super) fn remove(&self, key: &Key, stored: &Arc<Stored>) {
        self.entries
            .remove_if(key, |other| Arc::ptr_eq(other, stored));
    }

    /// Iterates over the stored responses. Those that come or go meanwhile may be left out.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, Arc<Stored>)> {
        self.entries.iter()
    }

    /// Remembers for a while that the responses of a key can't be stored, so that requests don't wait for each other.
    pub(super) fn set_uncacheable(&self, key: &Key, now: Duration) {
        let until = now.saturating_add(HIT_FOR_MISS);
        self.uncacheable.insert(self.hash.hash_one(key), until);
    }

    /// Returns whether the responses of a key were found uncacheable a while ago.
    pub(super) fn is_uncacheable(&self, key: &Key, now: Duration) -> bool {
        let until = self.uncacheable.get(&self.hash.hash_one(key));
        until.is_some_and(|until| now < until)
    }

    /// Returns the number of entries and their size in bytes, and the largest size.
    pub(super) fn sizes(&self) -> (usize, u64, u64) {
        (self.entries.len(), self.entries.weight(), self.capacity)
    }
}
