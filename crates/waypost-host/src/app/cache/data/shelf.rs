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

#[cfg(test)]
mod tests {
    use super::super::Charge;
    use super::*;
    use crate::app::cache::invalidations::Invalidations;
    use crate::app::cache::stored::StoredHead;
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use std::sync::LazyLock;
    use std::time::Duration;
    use waypost_cache::Life;
    use waypost_cache::key::RouteId;

    static NOTHING: LazyLock<Invalidations> = LazyLock::new(Invalidations::new);

    fn key(number: usize) -> Key {
        let route = RouteId {
            id: "a",
            digest: &[1],
        };
        Key::of_data(&route, &number.to_be_bytes())
    }

    fn add((shelf, memory): (&Shelf, &Memory), number: usize, size: usize) {
        let head = StoredHead {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            life: Life::default(),
            made: Duration::ZERO,
            run: Duration::ZERO,
        };
        let dependencies = Arc::new(NOTHING.dependencies(&[]));
        let value = Stored::new(
            head,
            Bytes::from(vec![0; size]),
            Box::default(),
            dependencies,
        );
        let bytes = value.weight(33) as u64;
        let value = Arc::new(value.charged(Charge::new(shelf.bytes(), bytes)));
        memory.put(key(number), Arc::clone(&value));
        shelf.add(key(number), &value, memory);
    }

    #[test]
    fn the_oldest_values_make_room_for_new_ones() {
        let (memory, shelf) = (Memory::new(1 << 20, 1 << 16), Shelf::limited(20_000));
        for number in 0..100 {
            // Some replace others.
            add((&shelf, &memory), number / 2, 4_000);
            assert!(shelf.bytes().load(Ordering::Relaxed) <= 20_000);
        }
        assert!(memory.get(&key(49)).is_some() && memory.get(&key(40)).is_none());
        assert_eq!(memory.sizes().0, 4);
        // One that is too large alone goes at once.
        add((&shelf, &memory), 1_000, 30_000);
        assert_eq!(
            (memory.sizes().0, shelf.bytes().load(Ordering::Relaxed)),
            (0, 0)
        );
    }

    #[test]
    fn a_component_has_only_so_many_values() {
        let (memory, shelf) = (Memory::new(1 << 30, 1 << 16), Shelf::limited(1 << 30));
        for number in 0..VALUES + 10 {
            add((&shelf, &memory), number, 1);
        }
        assert_eq!(memory.sizes().0, VALUES);
        assert!(memory.get(&key(9)).is_none() && memory.get(&key(10)).is_some());
    }
}
