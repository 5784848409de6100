//! Key-value stores: named collections that outlive an instance, granted by `key_value_stores`.
//!
//! One backend holds all stores of an app. It is asked from blocking threads only, as it may touch the disk.

mod disk;
mod memory;
mod spin2;
mod spin3;

use crate::observe::labels::Labels;
use crate::wasi::imports::ImportState;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the key-value stores of an app are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyValueStorage {
    /// In `key_value.redb` in the state folder, opened when a component first asks for it.
    #[default]
    Disk,
    /// In memory, for as long as the host runs.
    Memory,
}

/// The stores of an app.
#[derive(Clone)]
pub(crate) struct KeyValue(Arc<dyn Backend>);

/// A store that a component opened.
#[derive(Clone)]
pub struct OpenStore {
    backend: KeyValue,
    label: Arc<str>,
}

/// Why a store does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(
        "store `{0}` is not granted; add it to `key_value_stores` of the component in `spin.toml`"
    )]
    AccessDenied(String),
    #[error("{0}")]
    Storage(String),
}

/// What keeps the stores. Calls may block.
pub(crate) trait Backend: Send + Sync + 'static {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    fn set(&self, store: &str, key: &str, value: &[u8]) -> Result<(), StoreError>;
    fn delete(&self, store: &str, key: &str) -> Result<(), StoreError>;
    fn exists(&self, store: &str, key: &str) -> Result<bool, StoreError>;
    fn keys(&self, store: &str) -> Result<Vec<String>, StoreError>;
}

impl KeyValue {
    /// Makes the stores of an app; `file` is where they are kept on disk. Nothing is opened yet.
    pub(crate) fn new(storage: &KeyValueStorage, file: PathBuf) -> Self {
        Self(match storage {
            KeyValueStorage::Disk => Arc::new(disk::Disk::new(file)),
            KeyValueStorage::Memory => Arc::new(memory::Memory::default()),
        })
    }
}

impl OpenStore {
    /// Opens a store for a component.
    ///
    /// # Errors
    ///
    /// When the manifest does not grant the store.
    pub(crate) fn open(imports: &ImportState, label: &str) -> Result<Self, StoreError> {
        let permissions = &imports.permissions;
        if !permissions.key_value_stores.contains(label) {
            let error = StoreError::AccessDenied(label.to_owned());
            let Labels { route, component } = &*imports.labels;
            tracing::warn!(route, %component, "{error}");
            return Err(error);
        }
        Ok(Self {
            backend: permissions.key_value.clone(),
            label: label.into(),
        })
    }

    async fn get(self, key: String) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(move |backend, store| backend.get(store, &key))
            .await
    }

    async fn set(self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.run(move |backend, store| backend.set(store, &key, &value))
            .await
    }

    async fn delete(self, key: String) -> Result<(), StoreError> {
        self.run(move |backend, store| backend.delete(store, &key))
            .await
    }

    async fn exists(self, key: String) -> Result<bool, StoreError> {
        self.run(move |backend, store| backend.exists(store, &key))
            .await
    }

    async fn keys(self) -> Result<Vec<String>, StoreError> {
        self.run(|backend, store| backend.keys(store)).await
    }

    async fn run<T: Send + 'static>(
        self,
        call: impl FnOnce(&dyn Backend, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        tokio::task::spawn_blocking(move || call(&*self.backend.0, &self.label))
            .await
            .unwrap_or_else(|error| Err(StoreError::Storage(error.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaves(backend: &dyn Backend) {
        let get = |store, key| backend.get(store, key).expect("the backend works");
        let keys = |store| backend.keys(store).expect("the backend works");
        assert_eq!((get("a", "k"), keys("a")), (None, vec![]));
        for (store, key, value) in [("a", "k", "1"), ("a", "", "2"), ("ab", "k", "3")] {
            backend
                .set(store, key, value.as_bytes())
                .expect("the backend works");
        }
        assert_eq!(get("a", "k"), Some(b"1".to_vec()));
        assert_eq!(get("ab", "k"), Some(b"3".to_vec()));
        assert_eq!(keys("a"), ["", "k"]);
        assert!(backend.exists("a", "").expect("the backend works"));
        backend.delete("a", "k").expect("the backend works");
        backend
            .delete("a", "k")
            .expect("deleting nothing is no error");
        assert_eq!((get("a", "k"), keys("a")), (None, vec![String::new()]));
        assert_eq!(keys("ab"), ["k"]);
    }

    #[test]
    fn memory_behaves() {
        behaves(&memory::Memory::default());
    }

    #[test]
    fn disk_behaves_and_remembers() {
        let dir = tempfile::tempdir().expect("a folder is to be had");
        let file = dir.path().join("state/key_value.redb");
        behaves(&disk::Disk::new(file.clone()));
        let again = disk::Disk::new(file);
        assert_eq!(again.keys("ab").expect("the file opens again"), ["k"]);
    }

    #[test]
    fn a_broken_file_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().expect("a folder is to be had");
        let file = dir.path().join("key_value.redb");
        std::fs::write(&file, "not a database").expect("the folder is writable");
        let error = disk::Disk::new(file)
            .keys("a")
            .expect_err("the file is broken");
        assert!(error.to_string().contains("key_value.redb"), "{error}");
    }
}
