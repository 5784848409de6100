//! `[limits]`: the limits of the app and of its routes.

mod bounds;
mod private;
mod stores;

use std::time::Duration;

pub use private::DenyPrivate;
use private::read_deny_private;
pub use stores::StoreLimits;

use super::quantity::{read_count, read_duration, read_size, refuse};
use crate::document::{Collector, Keys, Table, Value};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The limits of an app, and of each route that doesn't override them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time until the first byte of the response. Default: 30 s, which is as long as clients wait.
    /// Above it the client gets 504.
    pub max_duration: Duration,
    /// The time that a handler may compute without waiting for anything. Default: 5 s, far more than a
    /// correct handler needs. Above it the client gets 500, and the instance is dropped.
    pub cpu_time: Duration,
    /// The memory of an instance, in bytes. Default: 128 MiB. Above it the client gets 500.
    pub memory: u64,
    /// The memory of all instances together, in bytes. Default: `None`, half of what the machine or the
    /// container has. Above it the client gets 503 with `Retry-After`.
    pub total_memory: Option<u64>,
    /// The size of a request's body, in bytes. Default: unlimited, because a body is a stream that is
    /// never held as a whole. Above it the client gets 413.
    pub request_body: Option<u64>,
    /// The number of header fields of a request. Default: 100, as in most servers. Above it the client
    /// gets 431.
    pub header_count: usize,
    /// The size of the head of a request, in bytes: request line and header fields together, as most
    /// servers count. Default: 64 KiB. Above it the client gets 431.
    pub header_size: usize,
    /// The length of the request line, in bytes; checked before `header_size`. Default: 16 KiB, twice the
    /// minimum that RFC 9112, section 3, recommends. Above it the client gets 414.
    pub request_line: usize,
    /// The time that a client may take without any progress in sending headers or body. Default: 30 s.
    /// Above it the client gets 408, and the connection is closed.
    pub idle_timeout: Duration,
    /// The time that a connection may stay without a request after a response. Default: 75 s, more than the 60 s
    /// of most load balancers, so that it is they who close. Above it the connection is closed.
    pub keep_alive: Duration,
    /// The number of open connections. Default: 10,000. Above it the client gets 503.
    pub connections: usize,
    /// The number of requests that the app handles at once. Default: 1,000. Above it the client gets 503
    /// with `Retry-After`.
    pub concurrency: usize,
    /// The number of requests that one route handles at once. Default: 100, so that a few busy routes
    /// leave capacity for the others. Above it the client gets 503 with `Retry-After`.
    pub route_concurrency: usize,
    /// The size of a handler's log, in bytes per second. Default: 1 MiB. Output above it is dropped, and
    /// the log says so.
    pub log_rate: u64,
    /// The number of requests to the app's own routes that follow from one client's request, at once.
    /// Default: 32. Above it the handler that sends one gets 503.
    pub inner_requests: usize,
    /// The number of connections to other hosts that one instance has open. Default: 32. Above it the
    /// handler gets an error.
    pub outbound_connections: usize,
    /// The number of connections to other hosts that all instances have open. Default: 512, because each
    /// takes a file descriptor. Above it the handler gets an error.
    pub total_outbound_connections: usize,
    /// Which requests may not reach private addresses. Default: those that only a wildcard allows. The
    /// handler gets an error.
    pub deny_private: DenyPrivate,
    /// How many calls to key-value stores one route may have at work at once. Default: 4. Beyond it
    /// a call waits.
    pub store_calls: usize,
    /// What the key-value stores may take.
    pub stores: StoreLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_duration: Duration::from_secs(30),
            cpu_time: Duration::from_secs(5),
            memory: 128 * MIB,
            total_memory: None,
            request_body: None,
            header_count: 100,
            header_size: 64 << 10,
            request_line: 16 << 10,
            idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            connections: 10_000,
            concurrency: 1_000,
            route_concurrency: 100,
            log_rate: MIB,
            inner_requests: 32,
            outbound_connections: 32,
            total_outbound_connections: 512,
            deny_private: DenyPrivate::Wildcards,
            store_calls: 4,
            stores: StoreLimits::default(),
        }
    }
}

/// The limits of one route.
///
/// The fields are described at [`Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteLimits {
    /// The time until the first byte of the response.
    pub max_duration: Duration,
    /// The time that the handler may compute without waiting for anything.
    pub cpu_time: Duration,
    /// The memory of an instance, in bytes.
    pub memory: u64,
    /// The size of a request's body, in bytes, or `None` if it is unlimited.
    pub request_body: Option<u64>,
    /// The number of header fields of a request.
    pub header_count: usize,
    /// The size of the head of a request, in bytes.
    pub header_size: usize,
    /// The length of the request line, in bytes.
    pub request_line: usize,
    /// The number of requests that the route handles at once.
    pub concurrency: usize,
    /// The size of the handler's log, in bytes per second.
    pub log_rate: u64,
    /// The number of requests to the app's own routes that follow from one client's request, at once.
    pub inner_requests: usize,
    /// The number of connections to other hosts that one instance has open.
    pub outbound_connections: usize,
    /// Which requests may not reach private addresses.
    pub deny_private: DenyPrivate,
    /// How many calls to key-value stores the route may have at work at once.
    pub store_calls: usize,
}

impl RouteLimits {
    /// Returns the limits of a route that doesn't override those of the app.
    pub fn of_app(limits: &Limits) -> Self {
        Self {
            max_duration: limits.max_duration,
            cpu_time: limits.cpu_time,
            memory: limits.memory,
            request_body: limits.request_body,
            header_count: limits.header_count,
            header_size: limits.header_size,
            request_line: limits.request_line,
            concurrency: limits.route_concurrency,
            log_rate: limits.log_rate,
            inner_requests: limits.inner_requests,
            outbound_connections: limits.outbound_connections,
            deny_private: limits.deny_private,
            store_calls: limits.store_calls,
        }
    }

    /// Raises the limits of the request head to those of `other` where these are higher.
    pub fn widen(&mut self, other: &RouteLimits) {
        self.header_count = self.header_count.max(other.header_count);
        self.header_size = self.header_size.max(other.header_size);
        self.request_line = self.request_line.max(other.request_line);
    }
}

/// The limits that one table sets, for the app or for a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides {
    max_duration: Option<Duration>,
    cpu_time: Option<Duration>,
    memory: Option<u64>,
    request_body: Option<Option<u64>>,
    header_count: Option<usize>,
    header_size: Option<usize>,
    request_line: Option<usize>,
    concurrency: Option<usize>,
    log_rate: Option<u64>,
    inner_requests: Option<usize>,
    outbound_connections: Option<usize>,
    deny_private: Option<DenyPrivate>,
    store_calls: Option<usize>,
}

impl Overrides {
    /// Applies these overrides to `limits`.
    pub(super) fn over(&self, limits: RouteLimits) -> RouteLimits {
        RouteLimits {
            max_duration: self.max_duration.unwrap_or(limits.max_duration),
            cpu_time: self.cpu_time.unwrap_or(limits.cpu_time),
            memory: self.memory.unwrap_or(limits.memory),
            request_body: self.request_body.unwrap_or(limits.request_body),
            header_count: self.header_count.unwrap_or(limits.header_count),
            header_size: self.header_size.unwrap_or(limits.header_size),
            request_line: self.request_line.unwrap_or(limits.request_line),
            concurrency: self.concurrency.unwrap_or(limits.concurrency),
            log_rate: self.log_rate.unwrap_or(limits.log_rate),
            inner_requests: self.inner_requests.unwrap_or(limits.inner_requests),
            outbound_connections: self
                .outbound_connections
                .unwrap_or(limits.outbound_connections),
            deny_private: self.deny_private.unwrap_or(limits.deny_private),
            store_calls: self.store_calls.unwrap_or(limits.store_calls),
        }
    }

    /// Reads the limits in a table. `concurrency` is the name of the key for the concurrency of a route.
    fn read(table: &Table<'_>, concurrency: &str, faults: &mut Collector) -> Self {
        let size = |key, faults: &mut Collector| {
            let size = read_size(table, key, &bounds::HEADER_SIZE, faults)?;
            usize::try_from(size).ok()
        };
        Self {
            max_duration: read_duration(table, "max_duration", &bounds::MAX_DURATION, faults),
            cpu_time: read_duration(table, "cpu_time", &bounds::CPU_TIME, faults),
            memory: read_size(table, "memory", &bounds::MEMORY, faults),
            request_body: read_request_body(table, faults),
            header_count: read_count(table, "header_count", &bounds::HEADER_COUNT, faults),
            header_size: size("header_size", faults),
            request_line: size("request_line", faults),
            concurrency: read_count(table, concurrency, &bounds::CONCURRENCY, faults),
            log_rate: read_size(table, "log_rate", &bounds::LOG_RATE, faults),
            inner_requests: read_count(table, "inner_requests", &bounds::INNER_REQUESTS, faults),
            outbound_connections: read_count(
                table,
                "outbound_connections",
                &bounds::OUTBOUND_CONNECTIONS,
                faults,
            ),
            deny_private: read_deny_private(table, faults),
            store_calls: read_count(table, "store_calls", &bounds::STORE_CALLS, faults),
        }
    }
}

const KEYS: Keys = Keys::only(&[
    "max_duration",
    "cpu_time",
    "memory",
    "total_memory",
    "request_body",
    "header_count",
    "header_size",
    "request_line",
    "idle_timeout",
    "keep_alive",
    "connections",
    "concurrency",
    "route_concurrency",
    "log_rate",
    "inner_requests",
    "outbound_connections",
    "total_outbound_connections",
    "deny_private",
    "store_calls",
    "store_key",
    "store_value",
    "store_size",
    "store_file",
    "store_list",
    "store_cache",
]);

const ROUTE_KEYS: Keys = Keys {
    known: &[
        "max_duration",
        "cpu_time",
        "memory",
        "request_body",
        "header_count",
        "header_size",
        "request_line",
        "concurrency",
        "log_rate",
        "inner_requests",
        "outbound_connections",
        "deny_private",
        "store_calls",
    ],
    unsupported: &[
        ("idle_timeout", APP_WIDE),
        ("keep_alive", APP_WIDE),
        ("connections", APP_WIDE),
        (
            "total_memory",
            "set it in `[limits]`: routes share the memory",
        ),
        (
            "total_outbound_connections",
            "set it in `[limits]`: routes share the connections",
        ),
        ("route_concurrency", "write `concurrency`"),
        ("store_key", ALL_STORES),
        ("store_value", ALL_STORES),
        ("store_size", ALL_STORES),
        ("store_file", ALL_STORES),
        ("store_list", ALL_STORES),
        ("store_cache", ALL_STORES),
    ],
};
const ALL_STORES: &str = "set it in `[limits]`: routes share the stores";
const APP_WIDE: &str = "set it in `[limits]`: it belongs to a connection, which serves many routes";

/// Reads the limits of the app.
pub(super) fn read(root: &Table<'_>, faults: &mut Collector) -> Limits {
    let defaults = Limits::default();
    let Some(table) = root.table("limits", faults) else {
        return defaults;
    };
    table.check_keys(&KEYS, faults);
    let overrides = Overrides::read(&table, "route_concurrency", faults);
    let route = overrides.over(RouteLimits::of_app(&defaults));
    let concurrency = read_count(&table, "concurrency", &bounds::CONCURRENCY, faults);
    let total_outbound = read_count(
        &table,
        "total_outbound_connections",
        &bounds::OUTBOUND_CONNECTIONS,
        faults,
    );
    let limits = Limits {
        max_duration: route.max_duration,
        cpu_time: route.cpu_time,
        memory: route.memory,
        total_memory: read_size(&table, "total_memory", &bounds::TOTAL_MEMORY, faults),
        request_body: route.request_body,
        header_count: route.header_count,
        header_size: route.header_size,
        request_line: route.request_line,
        concurrency: concurrency.unwrap_or(defaults.concurrency),
        route_concurrency: route.concurrency,
        log_rate: route.log_rate,
        inner_requests: route.inner_requests,
        outbound_connections: route.outbound_connections,
        deny_private: route.deny_private,
        total_outbound_connections: total_outbound.unwrap_or(defaults.total_outbound_connections),
        store_calls: route.store_calls,
        stores: stores::read(&table, &defaults.stores, faults),
        ..read_connection_limits(&table, defaults, faults)
    };
    let share = table.get("route_concurrency");
    check_share(overrides.concurrency, share, &limits, faults);
    limits
}

/// Reads the limits of a route.
pub(super) fn read_route(table: &Table<'_>, limits: &Limits, faults: &mut Collector) -> Overrides {
    table.check_keys(&ROUTE_KEYS, faults);
    let overrides = Overrides::read(table, "concurrency", faults);
    let share = table.get("concurrency");
    check_share(overrides.concurrency, share, limits, faults);
    overrides
}

/// Reads the limits of connections.
fn read_connection_limits(table: &Table<'_>, limits: Limits, faults: &mut Collector) -> Limits {
    let idle_timeout = read_duration(table, "idle_timeout", &bounds::IDLE_TIMEOUT, faults);
    let keep_alive = read_duration(table, "keep_alive", &bounds::KEEP_ALIVE, faults);
    let connections = read_count(table, "connections", &bounds::CONNECTIONS, faults);
    Limits {
        idle_timeout: idle_timeout.unwrap_or(limits.idle_timeout),
        keep_alive: keep_alive.unwrap_or(limits.keep_alive),
        connections: connections.unwrap_or(limits.connections),
        ..limits
    }
}

/// Reads `request_body`. `"unlimited"` overrides a limit of the app.
fn read_request_body(table: &Table<'_>, faults: &mut Collector) -> Option<Option<u64>> {
    let value = table.get("request_body")?;
    if value.as_str() == Some("unlimited") {
        return Some(None);
    }
    read_size(table, "request_body", &bounds::REQUEST_BODY, faults).map(Some)
}

/// Reports the concurrency of a route if it is set and greater than that of the app.
fn check_share(
    share: Option<usize>,
    value: Option<Value<'_>>,
    limits: &Limits,
    faults: &mut Collector,
) {
    let Some((share, value)) = share.zip(value) else {
        return;
    };
    if share > limits.concurrency {
        let reason = format!(
            "the whole app handles {} requests at once (`concurrency` in `[limits]`)",
            limits.concurrency
        );
        refuse::<()>(&value, &share.to_string(), &reason, faults);
    }
}
