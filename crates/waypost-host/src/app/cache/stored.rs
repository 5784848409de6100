//! [`Stored`]: a response in memory.

use super::invalidations::{Dependencies, Invalidations};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::retry::retry_after;
use waypost_cache::{Life, Verdict};

/// What a response costs besides its contents, in bytes: the structures of this module, of the map and of the allocator.
const OVERHEAD: usize = 512;

/// What each header costs besides its text, in bytes. The headers of hits and of 304 are kept beside the stored ones, with
/// the same texts.
const OVERHEAD_OF_HEADER: usize = 384;

/// A response that was stored, with what is needed to judge it.
pub(super) struct Stored {
    pub(super) head: StoredHead,
    pub(super) body: Bytes,
    dependencies: Arc<Dependencies>,
    /// The last epoch at which nothing of it had been invalidated.
    valid_at: AtomicU64,
    /// Failed attempts to refresh the response.
    failed: Mutex<FailedRefreshes>,
    /// The headers of a hit.
    pub(super) hit: PerSecond,
    /// The headers of a 304.
    pub(super) not_modified: PerSecond,
    /// What a value counts towards the memory of its component.
    _charge: Option<Charge>,
}

/// Headers that have the age of a response in them, and so are the same for a second.
#[derive(Default)]
pub(super) struct PerSecond(Mutex<Option<(u64, HeaderMap)>>);

impl PerSecond {
    /// Returns the headers of this second, and makes them if they are those of another one.
    pub(super) fn get(&self, second: u64, make: impl FnOnce() -> HeaderMap) -> HeaderMap {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some((of, headers)) if *of == second => headers.clone(),
            _ => {
                let headers = make();
                *made = Some((second, headers.clone()));
                headers
            }
        }
    }
}

/// Bytes that count towards a limit until this is dropped.
pub(super) struct Charge {
    total: Arc<AtomicU64>,
    bytes: u64,
}

impl Charge {
    pub(super) fn new(total: &Arc<AtomicU64>, bytes: u64) -> Self {
        total.fetch_add(bytes, Ordering::Relaxed);
        Self {
            total: Arc::clone(total),
            bytes,
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A response without its body and without the headers that are computed for each client.
#[derive(Clone)]
pub(super) struct StoredHead {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) life: Life,
    /// When the run began, as a time since the Unix epoch.
    pub(super) made: Duration,
}

impl StoredHead {
    /// Makes a response with this head.
    pub(super) fn response(&self, body: WasiBody) -> Response<WasiBody> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }

    pub(super) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.made)
    }

    /// Judges the response by its age alone.
    pub(super) fn verdict(&self, now: Duration) -> Verdict {
        Verdict::by_age(self.made, now, self.life)
    }
}

/// Failed attempts to refresh a response.
#[derive(Default)]
struct FailedRefreshes {
    in_a_row: u32,
    /// When the next attempt may begin, as a time since the Unix epoch.
    next: Duration,
}

impl Stored {
    pub(super) fn new(head: StoredHead, body: Bytes, dependencies: Arc<Dependencies>) -> Self {
        Self {
            head,
            body,
            valid_at: AtomicU64::new(dependencies.epoch),
            dependencies,
            failed: Mutex::default(),
            hit: PerSecond::default(),
            not_modified: PerSecond::default(),
            _charge: None,
        }
    }

    /// Makes it count towards the memory of a component.
    pub(super) fn charged(self, charge: Charge) -> Self {
        Self {
            _charge: Some(charge),
            ..self
        }
    }

    /// Returns the epoch before its run.
    pub(super) fn epoch(&self) -> u64 {
        self.dependencies.epoch
    }

    /// Judges the response by its age and by what was invalidated.
    pub(super) fn verdict(&self, invalidations: &Invalidations, now: Duration) -> Verdict {
        self.head
            .verdict(now)
            .and(self.verdict_of_invalidations(invalidations))
    }

    /// Judges the response by what was invalidated alone.
    pub(super) fn verdict_of_invalidations(&self, invalidations: &Invalidations) -> Verdict {
        let epoch = invalidations.epoch();
        if self.valid_at.load(Ordering::Relaxed) == epoch {
            return Verdict::Fresh;
        }
        let verdict = invalidations.verdict(&self.dependencies);
        if verdict == Verdict::Fresh {
            self.valid_at.store(epoch, Ordering::Relaxed);
        }
        verdict
    }

    pub(super) fn etag(&self) -> Option<&HeaderValue> {
        self.head.headers.get(http::header::ETAG)
    }

    /// Returns the memory that the response takes with a key of this length, in bytes.
    pub(super) fn weight(&self, key: usize) -> usize {
        let headers = self.head.headers.iter();
        let headers =
            headers.map(|(name, value)| name.as_str().len() + value.len() + OVERHEAD_OF_HEADER);
        let sizes = [key, self.body.len(), self.dependencies.size(), OVERHEAD];
        headers.chain(sizes).sum()
    }

    /// Returns whether a refresh may begin now. It may not for a while after one that failed.
    pub(super) fn may_refresh(&self, now: Duration) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.next <= now
    }

    /// Records that a refresh failed.
    pub(super) fn refresh_failed(&self, now: Duration) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.in_a_row = failed.in_a_row.saturating_add(1);
        let mut jitter = [0];
        // Without it, refreshes of many keys begin together.
        let _ = getrandom::fill(&mut jitter);
        failed.next = now.saturating_add(retry_after(failed.in_a_row, jitter[0]));
    }
}
