//! [`Stored`]: a response in memory.

use super::invalidations::{Dependencies, Invalidations, Slot};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::retry::retry_after;
use waypost_cache::{Life, Verdict, early};

/// What a response costs besides its contents, in bytes: the structures of this module, of the map and of the allocator.
const OVERHEAD: usize = 512;

/// What each header costs besides its text, in bytes. The headers that were sent last are kept beside the stored ones, with
/// the same texts.
const OVERHEAD_OF_HEADER: usize = 384;

/// What each tag costs besides its text, in bytes.
const OVERHEAD_OF_TAG: usize = 40;

/// A response that was stored, with what is needed to judge it.
pub(super) struct Stored {
    pub(super) head: StoredHead,
    pub(super) body: Bytes,
    /// The body in gzip, if a client has asked for it. It is `None` in it if the body cannot be compressed.
    pub(super) gzip: OnceCell<Option<Bytes>>,
    /// The size of the body in gzip when the response was stored, which is part of its weight.
    gzip_size: usize,
    /// The tags of the policy and of the response.
    pub(super) tags: Box<[String]>,
    dependencies: Arc<Dependencies>,
    /// The last epoch at which nothing of it had been invalidated.
    valid_at: AtomicU64,
    /// How often it was served.
    hits: AtomicU64,
    /// Failed attempts to refresh the response.
    failed: Mutex<FailedRefreshes>,
    /// The headers of the whole response.
    pub(super) whole: LastHeaders,
    /// The headers of a 304.
    pub(super) not_modified: LastHeaders,
    /// What a value counts towards the memory of its component.
    _charge: Option<Charge>,
}

/// The headers that were made last: they have the age in them, and so are the same for a second.
#[derive(Default)]
pub(super) struct LastHeaders(Mutex<Option<(Moment, HeaderMap)>>);

/// What headers are the same for: whether the response is fresh, and its age in seconds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Fresh(u64),
    Stale(u64),
}

impl LastHeaders {
    /// Returns the headers of a moment, and makes them if the last ones are of another.
    pub(super) fn at(&self, moment: Moment, make: impl FnOnce() -> HeaderMap) -> HeaderMap {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((of, headers)) if *of == moment => headers.clone(),
            _ => {
                let headers = make();
                *last = Some((moment, headers.clone()));
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
    /// How long the run took, with the body. It is zero until the body is there.
    pub(super) run: Duration,
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
    pub(super) fn new(
        head: StoredHead,
        body: Bytes,
        tags: Box<[String]>,
        dependencies: Arc<Dependencies>,
    ) -> Self {
        Self {
            head,
            body,
            gzip: OnceCell::new(),
            gzip_size: 0,
            tags,
            valid_at: AtomicU64::new(dependencies.epoch),
            dependencies,
            hits: AtomicU64::new(0),
            failed: Mutex::default(),
            whole: LastHeaders::default(),
            not_modified: LastHeaders::default(),
            _charge: None,
        }
    }

    /// Returns a response with the same contents, which also has its body in gzip.
    pub(super) fn with_gzip(&self, gzip: Bytes) -> Self {
        let (body, tags) = (self.body.clone(), self.tags.clone());
        let copy = Self::new(
            self.head.clone(),
            body,
            tags,
            Arc::clone(&self.dependencies),
        );
        Self {
            gzip_size: gzip.len(),
            gzip: OnceCell::new_with(Some(Some(gzip))),
            hits: AtomicU64::new(self.hits()),
            ..copy
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

    /// Returns whether an invalidation of a subject in this slot concerns the response.
    pub(super) fn depends_on(&self, slot: Slot) -> bool {
        self.dependencies.contains(slot)
    }

    /// Counts that it was served.
    pub(super) fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how often it was served.
    pub(super) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    pub(super) fn etag(&self) -> Option<&HeaderValue> {
        self.head.headers.get(http::header::ETAG)
    }

    /// Returns the memory that the response takes with a key of this length, in bytes.
    pub(super) fn weight(&self, key: usize) -> usize {
        let headers = self.head.headers.iter();
        let headers =
            headers.map(|(name, value)| name.as_str().len() + value.len() + OVERHEAD_OF_HEADER);
        let tags = self.tags.iter().map(|tag| tag.len() + OVERHEAD_OF_TAG);
        let bodies = self.body.len() + self.gzip_size;
        let sizes = [key, bodies, self.dependencies.size(), OVERHEAD];
        headers.chain(tags).chain(sizes).sum()
    }

    /// Returns whether a refresh may begin now. It may not for a while after one that failed.
    pub(super) fn may_refresh(&self, now: Duration) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.next <= now
    }

    /// Returns how long the response stays, if it is near its end and was never stale until then.
    pub(super) fn near_end(&self, now: Duration) -> Option<Duration> {
        early::near_end(self.head.life, self.head.age(now), self.head.run)
    }

    /// Returns whether this request refreshes the response, which is fresh, before it expires.
    pub(super) fn is_refreshed_early(&self, now: Duration) -> bool {
        self.near_end(now).is_some_and(|left| {
            let mut random = [0; 4];
            // Without it, this request refreshes the response.
            let _ = getrandom::fill(&mut random);
            early::refreshes(left, self.head.run, u32::from_ne_bytes(random))
        })
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
