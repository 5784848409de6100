//! How many requests are let in at once. Whoever comes too many is told at once, and does not queue.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A place among the requests that are served; dropping it frees it.
pub(crate) type Permit = OwnedSemaphorePermit;

/// The door of an app or of a route.
pub(crate) struct Admission(Option<Arc<Semaphore>>);

impl Admission {
    /// Lets at most `limit` in at once.
    pub(crate) fn limited(limit: usize) -> Self {
        Self(Some(Arc::new(Semaphore::new(
            limit.min(Semaphore::MAX_PERMITS),
        ))))
    }

    /// Lets all in.
    pub(crate) fn unlimited() -> Self {
        Self(None)
    }

    /// Asks for a place.
    ///
    /// # Errors
    ///
    /// When all are taken.
    pub(crate) fn enter(&self) -> Result<Option<Permit>, Full> {
        match &self.0 {
            None => Ok(None),
            Some(places) => Arc::clone(places)
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
        drop(first);
        assert!(door.enter().is_ok());
        assert!(
            Admission::unlimited()
                .enter()
                .is_ok_and(|permit| permit.is_none())
        );
    }
}
