//! Key-value stores: named collections that outlive an instance, granted by `key_value_stores`.
//!
//! One backend holds all stores of an app. It is asked from blocking threads only, as it may touch the disk.

mod calls;
mod disk;
mod file;
mod health;
mod keys;
mod lock;
mod memory;
mod sizes;
mod spin2;
mod spin3;
mod stores;

pub(crate) use calls::Calls;
pub(crate) use stores::OpenError;
pub use stores::Stores;

use crate::observe::labels::Labels;
use crate::observe::metrics::{Bound, Metrics};
use crate::observe::untrusted::shown;
use crate::wasi::imports::ImportState;
use std::collections::BTreeSet;
use std::sync::Arc;
use waypost_config::settings::StoreLimits;

/// Where the key-value stores of an app are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyValueStorage {
    /// In `key_value.redb` in the state folder. The host opens it when it starts, if a component may use a store.
    #[default]
    Disk,
    /// In memory, for as long as the host runs.
    Memory,
}

/// A store that a component opened.
#[derive(Clone)]
pub struct OpenStore {
    access: Arc<StoreAccess>,
    label: Arc<str>,
}

/// The access of a component to the stores of its app.
pub(crate) struct StoreAccess {
    pub(crate) stores: Stores,
    /// Names of the stores that it may open.
    pub(crate) granted: BTreeSet<String>,
    pub(crate) calls: Calls,
    pub(crate) metrics: Arc<Metrics>,
}

/// Why a store does not do what it was asked for. The text is for the guest: it names nothing of the machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(
        "store `{0}` is not granted; add it to `key_value_stores` of the component in `spin.toml`"
    )]
    AccessDenied(String),
    #[error("{found} (`{}` in `[limits]` of `waypost.toml`)", bound.name())]
    OverBound { bound: Bound, found: String },
    #[error("{0}")]
    Failed(String),
}

impl StoreError {
    /// Says that a call went over a bound; `found` is how.
    fn over(bound: Bound, found: &str) -> Self {
        Self::OverBound {
            bound,
            found: found.to_owned(),
        }
    }
}

/// What keeps the stores. Calls may block.
pub(crate) trait Backend: Send + Sync + 'static {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes an entry if the stores are then within their limits, or smaller than before.
    fn set(
        &self,
        store: &str,
        key: &str,
        value: &[u8],
        limits: &StoreLimits,
    ) -> Result<(), StoreError>;

    fn delete(&self, store: &str, key: &str) -> Result<(), StoreError>;

    fn exists(&self, store: &str, key: &str) -> Result<bool, StoreError>;

    /// Lists so many keys of a store at most: the first ones, or those that follow `after`.
    fn keys(
        &self,
        store: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<String>, StoreError>;

    /// Returns what all entries count for, in bytes.
    fn data(&self) -> u64;

    /// Applies other limits to what the backend bounds by itself.
    fn bound(&self, _limits: &StoreLimits) {}

    /// Returns whether [`Backend::tend`] has something to do.
    fn is_due(&self) -> bool {
        false
    }

    /// Tries to write again if that failed, and gives disk space back that is not needed.
    fn tend(&self) {}

    fn report(&self) -> Report {
        Report {
            data: self.data(),
            ..Report::default()
        }
    }
}

/// How the stores of an app do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Whether the latest attempt to open or to write the stores failed.
    pub(crate) is_failing: bool,
    pub(crate) failed_reads: u64,
    pub(crate) failed_writes: u64,
    /// What all entries count for, in bytes.
    pub(crate) data: u64,
    /// Length of the file, in bytes.
    pub(crate) file: u64,
}

impl OpenStore {
    /// Opens a store for a component.
    ///
    /// # Errors
    ///
    /// If the manifest does not grant the store.
    pub(crate) fn open(imports: &ImportState, label: &str) -> Result<Self, StoreError> {
        let access = &imports.permissions.key_value;
        if !access.granted.contains(label) {
            let error = StoreError::AccessDenied(label.to_owned());
            let text = error.to_string();
            if imports.log.admits(&text) {
                let Labels { route, component } = &*imports.labels;
                tracing::warn!(route, %component, "{}", shown(&text));
            }
            return Err(error);
        }
        Ok(Self {
            access: Arc::clone(access),
            label: label.into(),
        })
    }

    async fn get(self, key: String) -> Result<Option<Vec<u8>>, StoreError> {
        self.check_key(&key)?;
        self.read(move |backend, store| backend.get(store, &key))
            .await
    }

    async fn set(self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        let limits = Arc::clone(&self.access.stores.limits);
        let held = sizes::check_entry(&limits, &key, &value);
        let held = held.and_then(|()| self.access.calls.hold(&value));
        let held = self.counted(held)?;
        let set = move |backend: &dyn Backend, store: &str| {
            let _held = held;
            backend.set(store, &key, &value, &limits)
        };
        self.write(set).await
    }

    async fn delete(self, key: String) -> Result<(), StoreError> {
        self.check_key(&key)?;
        self.write(move |backend, store| backend.delete(store, &key))
            .await
    }

    async fn exists(self, key: String) -> Result<bool, StoreError> {
        self.check_key(&key)?;
        self.read(move |backend, store| backend.exists(store, &key))
            .await
    }

    /// Lists so many keys at most: the first ones, or those that follow `after`.
    async fn keys(self, after: Option<String>, most: usize) -> Result<Vec<String>, StoreError> {
        self.read(move |backend, store| backend.keys(store, after.as_deref(), most))
            .await
    }

    /// Lists all keys.
    ///
    /// # Errors
    ///
    /// If there are more than a list may have.
    async fn all_keys(self) -> Result<Vec<String>, StoreError> {
        let most = self.access.stores.limits.list;
        let keys = self.clone().keys(None, most.saturating_add(1)).await?;
        if keys.len() <= most {
            return Ok(keys);
        }
        let found = format!("the store has more than {most} keys, as many as a list may have");
        self.counted(Err(StoreError::over(Bound::StoreList, &found)))
    }

    async fn read<T: Send + 'static>(
        self,
        call: impl FnOnce(&dyn Backend, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let calls = self.access.calls.clone();
        let work = move || call(&*self.access.stores.backend, &self.label);
        calls.read(work).await
    }

    async fn write<T: Send + 'static>(
        self,
        call: impl FnOnce(&dyn Backend, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let calls = self.access.calls.clone();
        let turn = self.access.stores.turn.clone();
        let work = move || {
            let result = call(&*self.access.stores.backend, &self.label);
            self.counted(result)
        };
        calls.write(turn, work).await
    }

    /// Checks a key before its call waits for others: until then the host holds it.
    fn check_key(&self, key: &str) -> Result<(), StoreError> {
        let fits = sizes::check_entry(&self.access.stores.limits, key, &[]);
        self.counted(fits)
    }

    /// Counts what went over a bound, and passes the result on.
    fn counted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::OverBound { bound, .. }) = &result {
            self.access.metrics.over(*bound);
        }
        result
    }
}

#[cfg(test)]
mod tests;
