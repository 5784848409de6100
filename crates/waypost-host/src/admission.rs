//! How many requests are let in at once. Whoever comes too many is told at once, and does not queue.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A place among the requests that are served; dropping it frees it.
pub(crate) type Permit = OwnedSemaphorePermit;

/// The door of an app or of a route.
pub(crate) struct Admission(Option<Places>);

struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

impl Admission {
    /// Lets at most `limit` in at once.
    pub(crate) fn limited(limit: usize) -> Self {
        let all = limit.min(Semaphore::MAX_PERMITS);
        let free = Arc::new(Semaphore::new(all));
        Self(Some(Places { free, all }))
    }

    /// Lets all in.
    pub(crate) fn unlimited() -> Self {
        Self(None)
    }

    /// How many places are taken, where they are counted.
    pub(crate) fn taken(&self) -> usize {
        let taken = |places: &Places| places.all - places.free.available_permits();
        self.0.as_ref().map_or(0, taken)
    }

    /// Asks for a place.
    ///
    /// # Errors
    ///
    /// When all are taken.
    pub(crate) fn enter(&self) -> Result<Option<Permit>, Full> {
        match &self.0 {
            None => Ok(None),
            Some(places) => Arc::clone(&places.free)
                .try_acquire_owned()
                .map(Some)
                .map_err(|_| Full),
        }
    }
}

/// All places are taken.
#[derive(Debug)]
pub(crate) struct Full;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_place_is_given_again() {
        let door = Admission::limited(1);
        let first = door.enter().expect("the first is let in");
        assert!(door.enter().is_err());
        assert_eq!(door.taken(), 1);
        drop(first);
        assert_eq!(door.taken(), 0);
        assert!(door.enter().is_ok());
        assert!(
            Admission::unlimited()
                .enter()
                .is_ok_and(|permit| permit.is_none())
        );
    }
}
