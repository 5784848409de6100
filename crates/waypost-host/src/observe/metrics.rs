//! The counters of an app. Counting is one addition to an atomic, and allocates nothing.

use http::StatusCode;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A limit that was exceeded. Its name is the key in `waypost.toml`, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    MaxDuration,
    CpuTime,
    Memory,
    RequestBody,
    Headers,
    RequestLine,
    IdleTimeout,
    Connections,
    Concurrency,
    RouteConcurrency,
    LogRate,
    InnerRequests,
    OutboundConnections,
    TotalOutboundConnections,
    DenyPrivate,
    Handles,
    OpenFiles,
    Lists,
    Random,
    TotalMemory,
    StoreKey,
    StoreValue,
    StoreSize,
    StoreFile,
    StoreList,
    StoreCalls,
}

impl Bound {
    /// All bounds, in the order of their numbers.
    pub(crate) const ALL: [Self; 26] = [
        Self::MaxDuration,
        Self::CpuTime,
        Self::Memory,
        Self::RequestBody,
        Self::Headers,
        Self::RequestLine,
        Self::IdleTimeout,
        Self::Connections,
        Self::Concurrency,
        Self::RouteConcurrency,
        Self::LogRate,
        Self::InnerRequests,
        Self::OutboundConnections,
        Self::TotalOutboundConnections,
        Self::DenyPrivate,
        Self::Handles,
        Self::OpenFiles,
        Self::Lists,
        Self::Random,
        Self::TotalMemory,
        Self::StoreKey,
        Self::StoreValue,
        Self::StoreSize,
        Self::StoreFile,
        Self::StoreList,
        Self::StoreCalls,
    ];

    /// Returns its name in the metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MaxDuration => "max_duration",
            Self::CpuTime => "cpu_time",
            Self::Memory => "memory",
            Self::RequestBody => "request_body",
            Self::Headers => "headers",
            Self::RequestLine => "request_line",
            Self::IdleTimeout => "idle_timeout",
            Self::Connections => "connections",
            Self::Concurrency => "concurrency",
            Self::RouteConcurrency => "route_concurrency",
            Self::LogRate => "log_rate",
            Self::InnerRequests => "inner_requests",
            Self::OutboundConnections => "outbound_connections",
            Self::TotalOutboundConnections => "total_outbound_connections",
            Self::DenyPrivate => "deny_private",
            Self::Handles => "handles",
            Self::OpenFiles => "open_files",
            Self::Lists => "lists",
            Self::Random => "random",
            Self::TotalMemory => "total_memory",
            Self::StoreKey => "store_key",
            Self::StoreValue => "store_value",
            Self::StoreSize => "store_size",
            Self::StoreFile => "store_file",
            Self::StoreList => "store_list",
            Self::StoreCalls => "store_calls",
        }
    }
}

/// Counts responses by the class of their status, `1xx` to `5xx`.
#[derive(Default)]
pub(crate) struct StatusClasses([AtomicU64; 5]);

impl StatusClasses {
    /// Counts a response.
    pub(crate) fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        // RFC 9110, section 15: a status outside 1xx to 5xx counts as a server error.
        let counter = self.0.get(class.wrapping_sub(1)).unwrap_or(&self.0[4]);
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the first digit of each class that had a response, with the number of responses.
    pub(crate) fn each(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        (1..).zip(counts).filter(|(_, count)| *count > 0)
    }
}

/// Whether an app accepts requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting,
    Serving,
    Stopping,
}

/// The counters of one app.
pub(crate) struct Metrics {
    /// Responses to clients, whichever part of the host or app made them.
    pub(crate) responses: StatusClasses,
    /// Open connections.
    pub(crate) connections: AtomicUsize,
    start: Instant,
    phase: AtomicU8,
    over: [AtomicU64; Bound::ALL.len()],
    received: AtomicU64,
    sent: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            responses: StatusClasses::default(),
            connections: AtomicUsize::new(0),
            start: Instant::now(),
            phase: AtomicU8::new(Phase::Starting as u8),
            over: Default::default(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    /// Counts that a bound was exceeded.
    pub(crate) fn over(&self, bound: Bound) {
        self.over[bound as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how often a bound was exceeded.
    pub(crate) fn times_over(&self, bound: Bound) -> u64 {
        self.over[bound as usize].load(Ordering::Relaxed)
    }

    /// Counts bytes of a request body.
    pub(crate) fn receive(&self, bytes: usize) {
        add(&self.received, bytes);
    }

    /// Counts bytes of a response body.
    pub(crate) fn send(&self, bytes: usize) {
        add(&self.sent, bytes);
    }

    /// Returns the bytes of bodies received and sent.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.received), load(&self.sent))
    }

    /// Returns the time since the host was made.
    pub(crate) fn uptime(&self) -> Duration {
        self.start.elapsed()
    }

    /// Records whether the app accepts requests from now on.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Returns whether the app accepts requests.
    pub(crate) fn phase(&self) -> Phase {
        let phase = self.phase.load(Ordering::Relaxed);
        let known = [Phase::Starting, Phase::Serving, Phase::Stopping];
        let found = known.into_iter().find(|known| *known as u8 == phase);
        found.unwrap_or(Phase::Stopping)
    }
}

fn add(counter: &AtomicU64, bytes: usize) {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    counter.fetch_add(bytes, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_has_a_counter_of_its_own() {
        let metrics = Metrics::default();
        for bound in Bound::ALL {
            metrics.over(bound);
        }
        assert!(
            Bound::ALL
                .iter()
                .all(|bound| metrics.times_over(*bound) == 1)
        );
    }

    #[test]
    fn a_status_without_a_class_is_a_server_error() {
        let classes = StatusClasses::default();
        for status in [200, 204, 404, 599, 799] {
            classes.count(StatusCode::from_u16(status).expect("it is a status"));
        }
        let counted: Vec<_> = classes.each().collect();
        assert_eq!(counted, [(2, 2), (4, 1), (5, 2)]);
    }

    #[test]
    fn an_app_starts_serves_and_stops() {
        let metrics = Metrics::default();
        assert_eq!(metrics.phase(), Phase::Starting);
        for phase in [Phase::Serving, Phase::Stopping, Phase::Serving] {
            metrics.enter(phase);
            assert_eq!(metrics.phase(), phase);
        }
    }
}
