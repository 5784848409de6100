//! Writes the counters in the text format of Prometheus (version 0.0.4).

use crate::app::App;
use crate::observe::metrics::Bound;
use std::fmt::Display;
use std::sync::atomic::Ordering;

/// The lines written so far.
struct Report(String);

impl Report {
    /// Begins a metric.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.0 += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl Display) {
        self.0 += &format!("{name}{labels} {value}\n");
    }

    /// Writes a metric of one value.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.value(name, "", value);
    }
}

/// Writes the counters of an app.
pub(super) fn text(app: &App) -> String {
    let mut report = Report(String::new());
    responses(app, &mut report);
    bounds(app, &mut report);
    gauges(app, &mut report);
    stores(app, &mut report);
    cache(app, &mut report);
    let (received, sent) = app.metrics.bytes();
    let name = "waypost_request_bytes_total";
    report.single(
        name,
        "counter",
        "Bytes of content that clients sent.",
        received,
    );
    let name = "waypost_response_bytes_total";
    report.single(name, "counter", "Bytes of content that clients got.", sent);
    report.0
}

fn responses(app: &App, report: &mut Report) {
    let name = "waypost_responses_total";
    report.family(name, "counter", "Responses to clients, by class of status.");
    for (class, count) in app.metrics.responses.each() {
        report.value(name, &format!("{{class=\"{class}xx\"}}"), count);
    }
    let name = "waypost_route_responses_total";
    report.family(
        name,
        "counter",
        "Responses of each route, or of the router, by class of status.",
    );
    for component in app.components.values() {
        let route = escaped(&component.config.labels.route);
        for (class, count) in component.responses.each() {
            let labels = format!("{{route=\"{route}\",class=\"{class}xx\"}}");
            report.value(name, &labels, count);
        }
    }
}

fn bounds(app: &App, report: &mut Report) {
    let name = "waypost_over_bound_total";
    report.family(
        name,
        "counter",
        "Requests, connections or log lines that went over a bound.",
    );
    for bound in Bound::ALL {
        let labels = format!("{{bound=\"{}\"}}", bound.name());
        report.value(name, &labels, app.metrics.times_over(bound));
    }
}

fn gauges(app: &App, report: &mut Report) {
    let mut gauge =
        |name: &str, help: &str, value: usize| report.single(name, "gauge", help, value);
    let connections = app.metrics.connections.load(Ordering::Relaxed);
    gauge(
        "waypost_connections",
        "Connections that are open.",
        connections,
    );
    let in_flight = app.admission.in_flight();
    gauge(
        "waypost_requests_in_flight",
        "Requests whose response is not over.",
        in_flight,
    );
    gauge(
        "waypost_instances",
        "Instances that are alive.",
        app.runtime.registry.live(),
    );
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    gauge("waypost_tasks", "Tasks of the process's runtime.", tasks);
    let name = "waypost_uptime_seconds";
    let uptime = app.metrics.uptime().as_secs_f64();
    report.single(name, "gauge", "How long the host has been there.", uptime);
}

fn stores(app: &App, report: &mut Report) {
    let stores = app.stores.report();
    let name = "waypost_store_failures_total";
    report.family(
        name,
        "counter",
        "Attempts to read or write the key-value stores that failed.",
    );
    report.value(name, "{call=\"read\"}", stores.failed_reads);
    report.value(name, "{call=\"write\"}", stores.failed_writes);
    let name = "waypost_store_bytes";
    let help = "What the entries of all key-value stores count for.";
    report.single(name, "gauge", help, stores.data);
    let name = "waypost_store_file_bytes";
    let help = "Length of the file of the key-value stores.";
    report.single(name, "gauge", help, stores.file);
}

fn cache(app: &App, report: &mut Report) {
    let Some(cache) = &app.cache else { return };
    let cache = cache.report();
    let name = "waypost_cache_events_total";
    report.family(
        name,
        "counter",
        "What the response cache did, for routes with a cache policy.",
    );
    for (event, count) in cache.events {
        report.value(name, &format!("{{event=\"{event}\"}}"), count);
    }
    let gauges = [
        (
            "waypost_cache_entries",
            "Responses that are stored.",
            u64::try_from(cache.entries).unwrap_or(u64::MAX),
        ),
        (
            "waypost_cache_bytes",
            "Memory that the stored responses take.",
            cache.bytes,
        ),
        (
            "waypost_cache_capacity_bytes",
            "Memory that they may take (`memory` in `[cache]`).",
            cache.capacity,
        ),
    ];
    for (name, help, value) in gauges {
        report.single(name, "gauge", help, value);
    }
}

/// Escapes the value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
