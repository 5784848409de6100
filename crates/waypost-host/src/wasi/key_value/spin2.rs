//! `fermyon:spin/key-value@2.0.0`, for WASI 0.2 guests.

use super::{OpenStore, StoreError};
use crate::observe::metrics::Bound;
use crate::wasi::bindings::fermyon::spin::key_value::{Error, Host, HostStore};
use crate::wasi::imports::ImportState;
use wasmtime::Result;
use wasmtime::component::Resource;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccessDenied(_) => Self::AccessDenied,
            error @ (StoreError::OverBound { .. } | StoreError::Failed(_)) => {
                Self::Other(error.to_string())
            }
        }
    }
}

impl Host for ImportState {}

impl HostStore for ImportState {
    async fn open(&mut self, label: String) -> Result<Result<Resource<OpenStore>, Error>> {
        match OpenStore::open(self, &label) {
            Ok(store) => Ok(self.table.push(store).map_err(|_| {
                self.permissions.key_value.metrics.over(Bound::Handles);
                Error::StoreTableFull
            })),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn get(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.get(key).await.map_err(Error::from))
    }

    async fn set(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.set(key, value).await.map_err(Error::from))
    }

    async fn delete(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<(), Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.delete(key).await.map_err(Error::from))
    }

    async fn exists(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.exists(key).await.map_err(Error::from))
    }

    async fn get_keys(&mut self, store: Resource<OpenStore>) -> Result<Result<Vec<String>, Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.all_keys().await.map_err(Error::from))
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
