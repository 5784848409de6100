//! The data cache: values that handlers fetched or computed, which they ask the host for by HTTP in memory
//! (`waypost_cache::data`).
//!
//! The values are in the memory of the responses, under keys with the component and its digest: no component or version sees
//! what another one stored. Tags are those of the app, so one revalidation concerns responses and values alike.
//!
//! Invariant: only an instance with a lease stores a value, and the lease notes what was invalidated before it. So a value that
//! was made of old data is never fresh.

mod lease;
mod session;
mod shelf;

use super::ResponseCache;
use super::memory::Memory;
use super::stored::{Charge, Stored};
use crate::instance::config::InstanceConfig;
use crate::observe::labels::Labels;
use crate::request::admission::Admission;
use crate::request::context::DataAccess;
use crate::wasi::dispatch::{DataCache, DataSession};
use crate::wasi::logs::ComponentLog;
use session::Session;
use shelf::Shelf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use waypost_cache::key::RouteId;
use waypost_cache::{Key, Subject};
use waypost_routing::{Path, Pattern, Resolved};

/// How many values all instances of a version may make at once for the cache.
const FILLS: usize = 256;

/// How long an instance waits for a value that another one makes. Then it makes one for itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// The data cache of one version of a component.
pub(crate) struct DataSpace {
    cache: Arc<ResponseCache>,
    labels: Arc<Labels>,
    log: Arc<ComponentLog>,
    pattern: Pattern,
    component: String,
    digest: [u8; 32],
    /// Limits the values that are made at once.
    fills: Admission,
    /// The values that are stored.
    shelf: Shelf,
    patience: Duration,
    has_warned: AtomicBool,
}

impl DataSpace {
    /// Makes the data cache of the version with this digest, of a component with a route.
    pub(crate) fn new(
        cache: Arc<ResponseCache>,
        config: &InstanceConfig,
        pattern: Pattern,
        digest: [u8; 32],
    ) -> Self {
        Self {
            // Enough is left for the responses, whatever a handler chooses as keys.
            shelf: Shelf::limited(cache.memory.capacity() / 2),
            cache,
            labels: Arc::clone(&config.labels),
            log: Arc::clone(&config.log),
            pattern,
            component: config.labels.component.to_string(),
            digest,
            fills: Admission::limited(FILLS),
            // The handler has to do something with the value.
            patience: PATIENCE.min(config.limits.max_duration / 2),
            has_warned: AtomicBool::new(false),
        }
    }

    fn key(&self, key: &[u8]) -> Key {
        let route = RouteId {
            id: &self.component,
            digest: &self.digest,
        };
        Key::of_data(&route, key)
    }

    /// Returns what a value has to be newer than for a request: the revalidations of the tags of a call, and of the request's
    /// path, as in Next.
    fn subjects(&self, access: &DataAccess, tags: &[String]) -> Vec<Subject> {
        let path = access.target.as_ref().map(|target| target.path());
        match path.map(Path::resolve) {
            Some(Ok(Resolved::Path(path))) => Subject::of_response(&path, &self.pattern, tags),
            _ => subjects_of(tags),
        }
    }

    /// Stores a value.
    fn store(&self, key: Key, value: Stored) -> Arc<Stored> {
        let bytes = u64::try_from(value.weight(key.as_bytes().len())).unwrap_or(u64::MAX);
        let value = Arc::new(value.charged(Charge::new(self.shelf.bytes(), bytes)));
        self.cache.memory.put(key.clone(), Arc::clone(&value));
        self.shelf.add(key, &value, &self.cache.memory);
        value
    }

    /// Logs once why values are not stored.
    fn warn(&self, reason: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let Labels { route, component } = &*self.labels;
            tracing::warn!(route, %component, "a value is not stored in the data cache: {reason}");
        }
    }
}

impl DataCache for DataSpace {
    fn is_on(&self) -> bool {
        !self.cache.is_off()
    }

    fn session(self: Arc<Self>) -> Arc<dyn DataSession> {
        Arc::new(Session::new(self))
    }
}

fn subjects_of(tags: &[String]) -> Vec<Subject> {
    tags.iter()
        .filter_map(|tag| Subject::tag(tag).ok())
        .collect()
}
