//! How many calls to stores run at once: each takes a thread while it waits for the disk.

use super::StoreError;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The calls of one route, of which few run at once. The others wait without a thread.
#[derive(Clone, Debug)]
pub(crate) struct Calls(Arc<Semaphore>);

/// The turn to write. There is one for all stores, as they share a file; routes get it in the order that they ask.
#[derive(Clone, Debug)]
pub(super) struct Turn(Arc<Semaphore>);

impl Calls {
    /// Lets so many calls run at once.
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// Runs a call that only reads.
    pub(super) async fn read<T: Send + 'static>(
        self,
        call: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = permit(self.0).await?;
        block(place, call).await
    }

    /// Runs a call that writes, when it is its turn.
    pub(super) async fn write<T: Send + 'static>(
        self,
        turn: Turn,
        call: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = permit(self.0).await?;
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
