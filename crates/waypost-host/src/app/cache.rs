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
mod invalidations;
mod memory;
pub(crate) mod metrics;
mod receiving;
mod revalidate;
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
use shared_body::InFlight;
use std::sync::Arc;
use waypost_config::settings::Cache;

/// The response cache of an app.
pub(crate) struct ResponseCache {
    pub(crate) door: Door,
    memory: Memory,
    invalidations: Invalidations,
    flights: Flights,
    /// The memory of the responses that arrive. They may take as much as those that are stored.
    in_flight: Arc<InFlight>,
    background: Background,
    clock: Clock,
    /// The size of the largest body that is stored, in bytes.
    largest: u64,
    cached: Cached,
    metrics: CacheMetrics,
}

impl ResponseCache {
    /// Makes an empty cache with these settings.
    pub(crate) fn new(settings: &Cache, cached: Cached) -> Self {
        Self {
            door: Door::new(),
            memory: Memory::new(settings.memory, settings.entry),
            invalidations: Invalidations::new(),
            flights: Flights::default(),
            in_flight: InFlight::limited(settings.memory),
            background: Background::default(),
            clock: Clock::new(),
            largest: settings.entry,
            cached,
            metrics: CacheMetrics::default(),
        }
    }

    /// Ends the responses whose time to end has come, after a revalidation with a time.
    pub(crate) fn tend(&self) {
        self.invalidations.tend(self.clock.now());
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
