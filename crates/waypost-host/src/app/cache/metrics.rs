//! The counters of the response cache.

use std::sync::atomic::{AtomicU64, Ordering};

/// What happens in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheEvent {
    /// A fresh response was served.
    Hit,
    /// A stale response was served.
    Stale,
    /// A request began a run to fill the cache.
    Miss,
    /// A request waited for the run of another one.
    Collapsed,
    /// A request with a policy was not answered from the cache, such as in draft mode.
    Bypass,
    /// A response was stored.
    Stored,
    /// A run in the background began, to refresh a stale response.
    Refresh,
    /// A refresh failed, and the stale response stays.
    RefreshFailed,
    /// A response of a route with a policy could not be stored.
    NotStored,
    /// A tag, path or route was revalidated.
    Revalidation,
    /// A handler got a fresh value from the data cache.
    DataHit,
    /// A handler got a stale value from the data cache.
    DataStale,
    /// A handler had to make a value itself.
    DataMiss,
    /// A value was stored in the data cache.
    DataStored,
    /// A value could not be stored in the data cache.
    DataNotStored,
}

impl CacheEvent {
    /// All events, in the order of their numbers.
    const ALL: [Self; 15] = [
        Self::Hit,
        Self::Stale,
        Self::Miss,
        Self::Collapsed,
        Self::Bypass,
        Self::Stored,
        Self::Refresh,
        Self::RefreshFailed,
        Self::NotStored,
        Self::Revalidation,
        Self::DataHit,
        Self::DataStale,
        Self::DataMiss,
        Self::DataStored,
        Self::DataNotStored,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
            Self::Collapsed => "collapsed",
            Self::Bypass => "bypass",
            Self::Stored => "stored",
            Self::Refresh => "refresh",
            Self::RefreshFailed => "refresh_failed",
            Self::NotStored => "not_stored",
            Self::Revalidation => "revalidation",
            Self::DataHit => "data_hit",
            Self::DataStale => "data_stale",
            Self::DataMiss => "data_miss",
            Self::DataStored => "data_stored",
            Self::DataNotStored => "data_not_stored",
        }
    }
}

/// Counts what happens in the cache.
#[derive(Default)]
pub(super) struct CacheMetrics([AtomicU64; CacheEvent::ALL.len()]);

/// The counters at one time.
pub(crate) struct CacheReport {
    /// The name of each event, and how often it happened.
    pub(crate) events: Vec<(&'static str, u64)>,
    /// The number of responses in memory.
    pub(crate) entries: usize,
    /// What they take, in bytes.
    pub(crate) bytes: u64,
    /// What they may take, in bytes.
    pub(crate) capacity: u64,
}

impl CacheMetrics {
    /// Counts an event.
    pub(super) fn count(&self, event: CacheEvent) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn report(&self, (entries, bytes, capacity): (usize, u64, u64)) -> CacheReport {
        let count = |event: CacheEvent| self.0[event as usize].load(Ordering::Relaxed);
        let events = CacheEvent::ALL.into_iter();
        CacheReport {
            events: events.map(|event| (event.name(), count(event))).collect(),
            entries,
            bytes,
            capacity,
        }
    }
}
