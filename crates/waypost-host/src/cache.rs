//! The response cache: stands between the router and the handlers, for routes with a cache policy.
//!
//! `waypost-cache` has the rules. This module keeps responses in memory, lets one run fill a key for all requests that wait
//! for it, refreshes stale responses in the background, and applies what handlers revalidate.
//!
//! Invariant: a run whose response is stored sees only what is in the key of the response ([`sealed`]). A response that was
//! invalidated before a request came is never served to it as fresh.

mod answer;
mod asked;
mod clock;
mod draft;
mod fill;
mod flights;
mod memory;
pub(crate) mod metrics;
mod revalidate;
pub(crate) mod route;
mod sealed;
mod shared_body;
mod stored;
mod tokens;

pub(crate) use answer::answer;

use crate::options::Cached;
use clock::Clock;
use flights::Flights;
use memory::Memory;
use metrics::CacheMetrics;
use tokens::TokenTable;
use waypost_config::settings::Cache;

/// The response cache of an app.
pub(crate) struct ResponseCache {
    memory: Memory,
    tokens: TokenTable,
    flights: Flights,
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
            memory: Memory::new(settings.memory, settings.entry),
            tokens: TokenTable::new(),
            flights: Flights::default(),
            clock: Clock::new(),
            largest: settings.entry,
            cached,
            metrics: CacheMetrics::default(),
        }
    }

    /// Ends the responses whose time to end has come, after a revalidation with a time.
    pub(crate) fn tend(&self) {
        self.tokens.tend(self.clock.now());
    }

    /// Returns the counters, and the sizes of the memory.
    pub(crate) fn report(&self) -> metrics::CacheReport {
        self.metrics.report(self.memory.sizes())
    }
}
