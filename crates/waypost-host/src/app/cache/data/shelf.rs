//! [`Shelf`]: which values of the memory belong to one version of a component.

use super::{Memory, Stored};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use waypost_cache::Key;

/// How many values a version may have.
const VALUES: usize = 16_384;

/// The values of one version of a component, within a limit of bytes and of [`VALUES`]. The oldest ones make room for new ones,
/// so that a component that chooses ever new keys displaces its own values and not those of others.
pub(super) struct Shelf {
    values: Mutex<VecDeque<(Key, Weak<Stored>)>>,
    bytes: Arc<AtomicU64>,
    limit: u64,
}

impl Shelf {
    pub(super) fn limited(limit: u64) -> Self {
        Self {
            values: Mutex::default(),
            bytes: Arc::default(),
            limit,
        }
    }

    /// Returns the number of bytes of all values, which each value changes.
    pub(super) fn bytes(&self) -> &Arc<AtomicU64> {
        &self.bytes
    }

    /// Notes a value that was stored, and removes the oldest ones beyond the limits.
    pub(super) fn add(&self, key: Key, value: &Arc<Stored>, memory: &Memory) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.push_back((key, Arc::downgrade(value)));
        if values.len() > VALUES {
            // The memory may have dropped many, or have newer ones in their places.
            values.retain(|(_, value)| value.strong_count() > 0);
        }
        while values.len() > VALUES || self.bytes.load(Ordering::Relaxed) > self.limit {
            let Some((key, oldest)) = values.pop_front() else {
                return;
            };
            if let Some(oldest) = oldest.upgrade() {
                memory.remove(&key, &oldest);
            }
        }
    }
}
