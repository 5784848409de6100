//! `spin:key-value/key-value@3.0.0`, for WASI 0.3 guests: while a store works, other tasks of the guest run.

use super::keys::Keys;
use super::{OpenStore, StoreError};
use crate::observe::metrics::Bound;
use crate::wasi::bindings::spin::key_value::key_value::{
    Error, Host, HostStore, HostStoreWithStore,
};
use crate::wasi::imports::ImportState;
use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

type Inside = HasSelf<ImportState>;

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
impl HostStore for ImportState {}

fn opened<T>(accessor: &Accessor<T, Inside>, store: &Resource<OpenStore>) -> Result<OpenStore> {
    accessor.with(|mut access| Ok(access.get().table.get(store)?.clone()))
}

impl<T: Send> HostStoreWithStore<T> for Inside {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> Result<Result<Resource<OpenStore>, Error>> {
        accessor.with(|mut access| {
            let state = access.get();
            match OpenStore::open(state, &label) {
                Ok(store) => Ok(state.table.push(store).map_err(|_| {
                    state.permissions.key_value.metrics.over(Bound::Handles);
                    Error::StoreTableFull
                })),
                Err(error) => Ok(Err(error.into())),
            }
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        Ok(opened(accessor, &store)?
            .get(key)
            .await
            .map_err(Error::from))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        Ok(opened(accessor, &store)?
            .set(key, value)
            .await
            .map_err(Error::from))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<(), Error>> {
        Ok(opened(accessor, &store)?
            .delete(key)
            .await
            .map_err(Error::from))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        Ok(opened(accessor, &store)?
            .exists(key)
            .await
            .map_err(Error::from))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let (keys, outcome) = Keys::of(opened(accessor, &store)?);
        // A guest that stops reading gets no error.
        let outcome =
            async { wasmtime::error::Ok(outcome.await.unwrap_or(Ok(())).map_err(Error::from)) };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            Ok((keys, FutureReader::new(&mut access, outcome)?))
        })
    }

    async fn drop(accessor: &Accessor<T, Self>, store: Resource<OpenStore>) -> Result<()> {
        accessor.with(|mut access| {
            access.get().table.delete(store)?;
            Ok(())
        })
    }
}
