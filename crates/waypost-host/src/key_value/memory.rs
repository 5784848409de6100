//! Stores in memory.

use super::{Backend, StoreError};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Forgets everything when dropped.
#[derive(Default)]
pub(super) struct Memory(Mutex<Entries>);

type Entries = BTreeMap<(String, String), Vec<u8>>;

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(store: &str, key: &str) -> (String, String) {
    (store.to_owned(), key.to_owned())
}

impl Backend for Memory {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().get(&entry(store, key)).cloned())
    }

    fn set(&self, store: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.lock().insert(entry(store, key), value.to_owned());
        Ok(())
    }

    fn delete(&self, store: &str, key: &str) -> Result<(), StoreError> {
        self.lock().remove(&entry(store, key));
        Ok(())
    }

    fn exists(&self, store: &str, key: &str) -> Result<bool, StoreError> {
        Ok(self.lock().contains_key(&entry(store, key)))
    }

    fn keys(&self, store: &str) -> Result<Vec<String>, StoreError> {
        let entries = self.lock();
        let own = entries.range(entry(store, "")..);
        let own = own.take_while(|((name, _), _)| name == store);
        Ok(own.map(|((_, key), _)| key.clone()).collect())
    }
}
