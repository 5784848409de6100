//! [`Background`]: the work of the cache that no client waits for.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tasks that go on when their clients have left, until the host stops.
#[derive(Default)]
pub(super) struct Background {
    tasks: TaskTracker,
    stopping: Mutex<CancellationToken>,
}

impl Background {
    /// Does some work in a task of its own.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping().clone();
        self.tasks.spawn(async move {
            stopping.run_until_cancelled_owned(work).await;
        });
    }

    /// Ends all tasks. Later ones are not concerned.
    pub(super) async fn stop(&self) {
        std::mem::take(&mut *self.stopping()).cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    fn stopping(&self) -> MutexGuard<'_, CancellationToken> {
        self.stopping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
