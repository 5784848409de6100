//! The live instances, so that a host that stops can end them.

use super::{EndReason, Lifecycle};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Every live instance of an app.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    live: HashMap<u64, Arc<Lifecycle>>,
    is_stopped: bool,
}

/// One instance's place in the registry.
pub(crate) struct Registration {
    registry: Arc<Registry>,
    number: u64,
}

impl Registry {
    /// Enters an instance. After [`Registry::stop`] it must end at once.
    pub(crate) fn enter(self: &Arc<Self>, lifecycle: &Arc<Lifecycle>) -> Registration {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.live.insert(number, Arc::clone(lifecycle));
        if state.is_stopped {
            lifecycle.end(EndReason::Shutdown);
        }
        Registration {
            registry: Arc::clone(self),
            number,
        }
    }

    /// Returns the number of live instances.
    pub(crate) fn live(&self) -> usize {
        self.lock().live.len()
    }

    /// Admits instances again after [`Registry::stop`].
    pub(crate) fn open(&self) {
        self.lock().is_stopped = false;
    }

    /// Ends every instance, and those that are entered later.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopped = true;
        for lifecycle in state.live.values() {
            lifecycle.end(EndReason::Shutdown);
        }
    }

    /// Waits until no instance is left.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.live() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.registry.lock();
        state.live.remove(&self.number);
        if state.live.is_empty() {
            self.registry.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stopping_ends_all_instances_and_waits() {
        let registry = Arc::new(Registry::default());
        let lifecycle = Arc::new(Lifecycle::default());
        let registration = registry.enter(&lifecycle);
        registry.stop();
        assert_eq!(lifecycle.end_reason(), Some(EndReason::Shutdown));
        let late = Arc::new(Lifecycle::default());
        drop(registry.enter(&late));
        assert_eq!(late.end_reason(), Some(EndReason::Shutdown));
        assert_eq!(registry.live(), 1);
        let waiting = tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { registry.emptied().await }
        });
        drop(registration);
        waiting.await.expect("the task ends");
    }
}
