//! How many calls to stores run at once: each takes a thread while it waits for the disk.

use super::StoreError;
use crate::observe::metrics::Bound;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The calls of one route, of which few run at once. The others wait without a thread.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    places: Arc<Semaphore>,
    /// The bytes that values may have that are to be written.
    values: Arc<Semaphore>,
}

/// The turn to write. There is one for all stores, as they share a file; routes get it in the order that they ask.
#[derive(Clone, Debug)]
pub(super) struct Turn(Arc<Semaphore>);

impl Calls {
    /// Allows `most` calls at once. The values that wait to be written may have four times `most` times `value` bytes.
    pub(crate) fn new(most: usize, value: u64) -> Self {
        let value = usize::try_from(value).unwrap_or(usize::MAX);
        let values = value.saturating_mul(most).saturating_mul(4);
        Self {
            places: Arc::new(Semaphore::new(most)),
            values: Arc::new(Semaphore::new(values.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Counts a value until it is written: the host holds it from the call on.
    ///
    /// # Errors
    ///
    /// If too much waits already.
    pub(super) fn hold(&self, value: &[u8]) -> Result<OwnedSemaphorePermit, StoreError> {
        let bytes = u32::try_from(value.len()).unwrap_or(u32::MAX);
        let values = Arc::clone(&self.values);
        values.try_acquire_many_owned(bytes).map_err(|_| {
            let found = "too many values wait to be written; await the writes that were begun";
            StoreError::over(Bound::StoreCalls, found)
        })
    }

    /// Runs a call that only reads.
    pub(super) async fn read<T: Send + 'static>(
        self,
        call: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = permit(self.places).await?;
        block(place, call).await
    }

    /// Runs a call that writes, when it is its turn.
    pub(super) async fn write<T: Send + 'static>(
        self,
        turn: Turn,
        call: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = permit(self.places).await?;
        let turn = permit(turn.0).await?;
        block((place, turn), call).await
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

async fn permit(semaphore: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StoreError> {
    let permit = semaphore.acquire_owned().await;
    permit.map_err(|_| StoreError::Failed("the key-value store is closed".to_owned()))
}

/// Runs a call on a thread that may block. It runs to its end, with its permits, even if nobody waits any more.
async fn block<T: Send + 'static>(
    permits: impl Send + 'static,
    call: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let work = move || {
        let _permits = permits;
        call()
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "a call to a key-value store panicked");
            Err(StoreError::Failed("the key-value store failed".to_owned()))
        })
}
