//! The response cache: stands between the router and the handlers, for routes with a cache policy.
//!
//! `waypost-cache` has the rules. This module keeps responses in memory, lets one run fill a key for all requests that wait
//! for it, refreshes stale responses in the background, and applies what handlers revalidate.
//!
//! Invariant: a run whose response is stored sees only what is in the key of the response ([`sealed`]). A response that was
//! invalidated before a request came is never served to it as fresh.

mod answer;
mod asked;
mod background;
mod clock;
pub(crate) mod data;
pub(crate) mod door;
mod draft;
mod fill;
mod flights;
pub(crate) mod gzip;
mod invalidations;
pub(crate) mod listing;
mod log;
mod memory;
pub(crate) mod metrics;
mod receiving;
pub(crate) mod revalidate;
pub(crate) mod route;
mod sealed;
mod shared_body;
mod stored;

pub(crate) use answer::answer;
use answer::landed;

use crate::options::Cached;
use background::Background;
use clock::Clock;
use door::Door;
use flights::Flights;
use invalidations::Invalidations;
use memory::Memory;
use metrics::CacheMetrics;
use shared_body::BodyMemory;
use std::sync::Arc;
use waypost_config::settings::Cache;
use waypost_routing::Pattern;

/// The response cache of an app.
pub(crate) struct ResponseCache {
    pub(crate) door: Door,
    memory: Memory,
    invalidations: Invalidations,
    flights: Flights,
    /// The memory of all bodies: of those that are stored, those that arrive, and those that were evicted while slow clients
    /// still read them. All together may take twice as much as those that are stored.
    bodies: Arc<BodyMemory>,
    background: Background,
    clock: Clock,
    /// The size of the largest body that is stored, in bytes.
    largest: u64,
    /// Whether responses have headers for a CDN.
    cdn: bool,
    /// Whether anything is stored.
    cached: Cached,
    /// The patterns of the app's routes.
    patterns: Vec<Pattern>,
    metrics: CacheMetrics,
}

impl ResponseCache {
    /// Makes an empty cache with these settings, for an app with routes of these patterns.
    pub(crate) fn new(settings: &Cache, cached: Cached, patterns: Vec<Pattern>) -> Self {
        Self {
            door: Door::new(),
            memory: Memory::new(settings.memory, settings.entry),
            invalidations: Invalidations::new(),
            flights: Flights::default(),
            bodies: BodyMemory::limited(settings.memory.saturating_mul(2)),
            background: Background::default(),
            clock: Clock::new(),
            largest: settings.entry,
            cdn: settings.cdn,
            cached,
            patterns,
            metrics: CacheMetrics::default(),
        }
    }

    /// Ends the responses whose time to end has come, after a revalidation with a time.
    pub(crate) fn tend(&self) {
        self.invalidations.tend(self.clock.now());
    }

    /// Returns whether nothing is stored, because the app is being developed.
    pub(crate) fn is_off(&self) -> bool {
        self.cached == Cached::Never
    }

    /// Ends all runs in the background.
    pub(crate) async fn stop(&self) {
        self.background.stop().await;
    }

    /// Returns the counters, and the sizes of the memory.
    pub(crate) fn report(&self) -> metrics::CacheReport {
        self.metrics.report(self.memory.sizes())
    }
}
