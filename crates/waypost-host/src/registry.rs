//! The instances that are alive, so that a host that stops can end them.

use crate::activity::{Activity, Doom};
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
    live: HashMap<u64, Arc<Activity>>,
    stopped: bool,
}

/// One instance's place in the registry.
pub(crate) struct Registration {
    registry: Arc<Registry>,
    number: u64,
}

impl Registry {
    /// Enters an instance. After [`Registry::stop`] it is condemned at once.
    pub(crate) fn enter(self: &Arc<Self>, activity: &Arc<Activity>) -> Registration {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.live.insert(number, Arc::clone(activity));
        if state.stopped {
            activity.condemn(Doom::Shutdown);
        }
        Registration {
            registry: Arc::clone(self),
            number,
        }
    }

    /// Number of live instances.
    pub(crate) fn live(&self) -> usize {
        self.lock().live.len()
    }

    /// Lets instances come again after [`Registry::stop`].
    pub(crate) fn open(&self) {
        self.lock().stopped = false;
    }

    /// Condemns every instance, those that come later too.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        for activity in state.live.values() {
            activity.condemn(Doom::Shutdown);
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

impl Registration {
    /// Takes the instance off the registry.
    pub(crate) fn end(&self) {
        let mut state = self.registry.lock();
        state.live.remove(&self.number);
        if state.live.is_empty() {
            self.registry.emptied.notify_waiters();
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stopping_condemns_all_and_waits() {
        let registry = Arc::new(Registry::default());
        let activity = Arc::new(Activity::default());
        let registration = registry.enter(&activity);
        registry.stop();
        assert_eq!(activity.doom(), Some(Doom::Shutdown));
        let late = Arc::new(Activity::default());
        drop(registry.enter(&late));
        assert_eq!(late.doom(), Some(Doom::Shutdown));
        assert_eq!(registry.live(), 1);
        let waiting = tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { registry.emptied().await }
        });
        drop(registration);
        waiting.await.expect("the task ends");
    }
}
