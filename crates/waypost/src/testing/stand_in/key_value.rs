//! Key-value stores. In a component this is `spin_sdk::key_value`. In a native test it is an in-memory replacement
//! with the stores that [`test::with_stores`](crate::test::with_stores) grants.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
pub use spin_sdk::key_value::Error;

use crate::sys::while_set;

type Values = BTreeMap<String, Vec<u8>>;

thread_local! {
    /// The stores that a test on this thread grants.
    static GRANTED: RefCell<HashMap<String, Store>> = RefCell::default();
}

/// Grants stores, initially empty, while `work` runs.
pub(crate) fn with_stores<T>(labels: impl Iterator<Item = String>, work: impl FnOnce() -> T) -> T {
    let empty = labels.map(|label| (label, Store(Arc::default())));
    while_set(&GRANTED, empty.collect(), work)
}

/// An open key-value store.
pub struct Store(Arc<Mutex<Values>>);

impl Store {
    /// Opens the store `default`.
    ///
    /// # Errors
    ///
    /// Like [`Store::open`].
    pub async fn open_default() -> Result<Self, Error> {
        Self::open("default").await
    }

    /// Opens a store.
    ///
    /// # Errors
    ///
    /// [`Error::AccessDenied`] if it is not granted.
    pub async fn open(label: impl AsRef<str>) -> Result<Self, Error> {
        GRANTED.with_borrow(|granted| {
            let store = granted.get(label.as_ref()).ok_or(Error::AccessDenied)?;
            Ok(Self(Arc::clone(&store.0)))
        })
    }

    /// Returns the value of a key, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// Never in a native test.
    pub async fn get(&self, key: impl AsRef<str>) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.values().get(key.as_ref()).cloned())
    }

    /// Sets the value of a key, and replaces the one that it had.
    ///
    /// # Errors
    ///
    /// Never in a native test.
    pub async fn set(&self, key: impl AsRef<str>, value: impl AsRef<[u8]>) -> Result<(), Error> {
        let (key, value) = (key.as_ref().to_owned(), value.as_ref().to_vec());
        self.values().insert(key, value);
        Ok(())
    }

    /// Deletes a key, whether it exists or not.
    ///
    /// # Errors
    ///
    /// Never in a native test.
    pub async fn delete(&self, key: impl AsRef<str>) -> Result<(), Error> {
        self.values().remove(key.as_ref());
        Ok(())
    }

    /// Returns whether a key exists.
    ///
    /// # Errors
    ///
    /// Never in a native test.
    pub async fn exists(&self, key: impl AsRef<str>) -> Result<bool, Error> {
        Ok(self.values().contains_key(key.as_ref()))
    }

    /// Returns the keys. Here they are sorted; a host may return them in any order.
    pub async fn get_keys(&self) -> Keys {
        let keys: Vec<_> = self.values().keys().cloned().collect();
        Keys(keys.into_iter())
    }

    /// Sets the value of a key to JSON.
    ///
    /// # Errors
    ///
    /// If the value can't be serialized.
    pub async fn set_json<T: Serialize>(
        &self,
        key: impl AsRef<str>,
        value: &T,
    ) -> Result<(), anyhow::Error> {
        Ok(self.set(key, serde_json::to_vec(value)?).await?)
    }

    /// Deserializes the value of a key from JSON, or returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the value is not JSON or not a `T`.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        key: impl AsRef<str>,
    ) -> Result<Option<T>, anyhow::Error> {
        let value = self.get(key).await?;
        let value = value.map(|value| serde_json::from_slice(&value));
        Ok(value.transpose()?)
    }

    fn values(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of a store, one after the other.
pub struct Keys(std::vec::IntoIter<String>);

impl Keys {
    /// Returns the next key, or `None` at the end.
    pub async fn next(&mut self) -> Option<String> {
        self.0.next()
    }

    /// Returns whether all keys were received.
    ///
    /// # Errors
    ///
    /// Never in a native test.
    pub async fn result(self) -> Result<(), Error> {
        Ok(())
    }

    /// Returns all remaining keys.
    ///
    /// # Errors
    ///
    /// Never in a native test.
    pub async fn collect(self) -> Result<Vec<String>, Error> {
        Ok(self.0.collect())
    }
}
