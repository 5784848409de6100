//! How many requests are let in at once. Whoever comes too many is told at once, and does not queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The door of an app or of a route.
pub(crate) struct Admission(Option<Arc<Places>>);

struct Places {
    taken: AtomicUsize,
    limit: usize,
}

/// A place among the requests that are served; dropping it frees it.
pub(crate) struct Permit(Arc<Places>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    /// Lets at most `limit` in at once.
    pub(crate) fn limited(limit: usize) -> Self {
        let taken = AtomicUsize::new(0);
        Self(Some(Arc::new(Places { taken, limit })))
    }

    /// Lets all in.
    pub(crate) fn unlimited() -> Self {
        Self(None)
    }

    /// How many places are taken, where they are counted.
    pub(crate) fn taken(&self) -> usize {
        let taken = |places: &Arc<Places>| places.taken.load(Ordering::Relaxed);
        self.0.as_ref().map_or(0, taken)
    }

    /// Asks for a place.
    ///
    /// # Errors
    ///
    /// When all are taken.
    pub(crate) fn enter(&self) -> Result<Option<Permit>, Full> {
        let Some(places) = &self.0 else {
            return Ok(None);
        };
        let one_more = |taken| (taken < places.limit).then_some(taken + 1);
        places
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map(|_| Some(Permit(Arc::clone(places))))
            .map_err(|_| Full)
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
