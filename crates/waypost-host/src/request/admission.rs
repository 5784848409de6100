//! The limit on requests in flight. A request over it is rejected at once, and does not queue.
//!
//! tokio's `Semaphore` does the same, but takes a lock for each permit that is returned, to see who waits. Nobody waits
//! here, and every request takes two permits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The limit of an app or of a route.
#[derive(Debug)]
pub(crate) struct Admission(Option<Arc<Places>>);

#[derive(Debug)]
struct Places {
    taken: AtomicUsize,
    limit: usize,
}

/// Permission for one request; dropping it lets another one in.
pub(crate) struct Permit(Arc<Places>);

/// What a request takes of its route's limit, and of that of the client's request which it follows from.
pub(crate) struct Place {
    _route: Option<Permit>,
    _inner: Option<Permit>,
}

impl Place {
    /// Makes the place of a request from what it was admitted with, or `None` if nothing limits it.
    pub(crate) fn new(route: Option<Permit>, inner: Option<Permit>) -> Option<Arc<Self>> {
        (route.is_some() || inner.is_some()).then(|| {
            Arc::new(Self {
                _route: route,
                _inner: inner,
            })
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    /// Admits `limit` requests at once.
    pub(crate) fn limited(limit: usize) -> Self {
        let taken = AtomicUsize::new(0);
        Self(Some(Arc::new(Places { taken, limit })))
    }

    /// Admits every request.
    pub(crate) fn unlimited() -> Self {
        Self(None)
    }

    /// Makes the limit for one of those that share this one: three quarters, so that none takes what is left for the others.
    pub(crate) fn share(&self) -> Self {
        match &self.0 {
            Some(places) => Self::limited(places.limit.saturating_mul(3).div_ceil(4)),
            None => Self::unlimited(),
        }
    }

    /// Returns the number of requests in flight, or 0 if there is no limit.
    pub(crate) fn in_flight(&self) -> usize {
        let taken = |places: &Arc<Places>| places.taken.load(Ordering::Relaxed);
        self.0.as_ref().map_or(0, taken)
    }

    /// Admits one more request.
    ///
    /// # Errors
    ///
    /// When the limit is reached.
    pub(crate) fn enter(&self) -> Result<Option<Permit>, Full> {
        let Some(places) = &self.0 else {
            return Ok(None);
        };
        let one_more = |taken| (taken < places.limit).then_some(taken + 1);
        places
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map(|_| Some(Permit(Arc::clone(places))))
            .map_err(|_| Full(places.limit))
    }
}

/// The limit is reached: this many are admitted at once.
#[derive(Debug)]
pub(crate) struct Full(pub(crate) usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_that_is_dropped_admits_the_next() {
        let admission = Admission::limited(1);
        let first = admission.enter().expect("the first is admitted");
        assert!(admission.enter().is_err());
        assert_eq!(admission.in_flight(), 1);
        drop(first);
        assert_eq!(admission.in_flight(), 0);
        assert!(admission.enter().is_ok());
        assert!(
            Admission::unlimited()
                .enter()
                .is_ok_and(|permit| permit.is_none())
        );
    }
}
