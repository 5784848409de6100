//! Stores in memory.

use super::{Backend, StoreError, sizes};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::{Mutex, MutexGuard, PoisonError};
use waypost_config::settings::StoreLimits;

/// Forgets everything when dropped.
#[derive(Default)]
pub(super) struct Memory(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    values: BTreeMap<(String, String), Vec<u8>>,
    /// What each store counts for.
    sizes: BTreeMap<String, u64>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(store: &str, key: &str) -> (String, String) {
    (store.to_owned(), key.to_owned())
}

impl Entries {
    /// Returns what an entry counts for, or 0 if there is none.
    fn size_of(&self, store: &str, key: &str) -> u64 {
        let value = self.values.get(&entry(store, key));
        value.map_or(0, |value| sizes::entry(store, key, value.len()))
    }
}

impl Backend for Memory {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().values.get(&entry(store, key)).cloned())
    }

    fn set(
        &self,
        store: &str,
        key: &str,
        value: &[u8],
        limits: &StoreLimits,
    ) -> Result<(), StoreError> {
        let mut entries = self.lock();
        let (old, new) = (
            entries.size_of(store, key),
            sizes::entry(store, key, value.len()),
        );
        let size = entries.sizes.get(store).copied().unwrap_or(0) - old + new;
        if new > old {
            let total: u64 = entries.sizes.values().sum();
            sizes::check_growth(limits, size, total - old + new)?;
        }
        entries.sizes.insert(store.to_owned(), size);
        entries.values.insert(entry(store, key), value.to_owned());
        Ok(())
    }

    fn delete(&self, store: &str, key: &str) -> Result<(), StoreError> {
        let mut entries = self.lock();
        let old = entries.size_of(store, key);
        entries.values.remove(&entry(store, key));
        if let Some(size) = entries.sizes.get_mut(store) {
            *size -= old;
        }
        Ok(())
    }

    fn exists(&self, store: &str, key: &str) -> Result<bool, StoreError> {
        Ok(self.lock().values.contains_key(&entry(store, key)))
    }

    fn keys(
        &self,
        store: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        let entries = self.lock();
        let start = match after {
            Some(after) => Excluded(entry(store, after)),
            None => Included(entry(store, "")),
        };
        let own = entries.values.range((start, Unbounded));
        let own = own.take_while(|((name, _), _)| name == store).take(most);
        Ok(own.map(|((_, key), _)| key.clone()).collect())
    }

    fn data(&self) -> u64 {
        self.lock().sizes.values().sum()
    }
}
