//! The behaviour of Spin 4.1: what it does to a request, where this host does otherwise.
//!
//! Steps come in Spin's own order, so that an app sees byte for byte what it sees there. Each function names the file
//! of spinframework/spin that it follows.
//!
//! Not imitated: a loop of components that call each other ends after sixteen; memory is bounded as the settings say;
//! the log is this host's; a request to `http://self` stays in memory, from `127.0.0.1:0` to `localhost`; a component is
//! loaded by its first request, and not at the start; an instance takes one request at a time, not sixteen.

mod headers;

pub(crate) use headers::{NotUtf8, add, path_info, strip};

use http::header::HOST;
use http::request::Parts;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use wasmtime_wasi_http::{ForbiddenHeaderFilter, WasiHttpHooks};
use waypost_config::Settings;
use waypost_config::manifest::Route;
use waypost_config::settings::{DenyPrivate, Limits};

/// The client of a request that one component makes to another (`crates/trigger-http/src/outbound_http.rs`).
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The client of a request that a component makes to its own app.
const SELF_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Longer than any test waits for, and short enough to be added to a moment.
const EVER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Removes from an app's settings what Spin does not have.
pub(crate) fn settings(settings: Settings) -> Settings {
    let mut settings = settings.without_routes();
    settings.server.compress = false;
    settings.server.origin = None;
    settings.server.public_health = false;
    settings.limits = Limits {
        max_duration: EVER,
        cpu_time: EVER,
        idle_timeout: EVER,
        keep_alive: EVER,
        request_body: None,
        route_concurrency: settings.limits.concurrency,
        deny_private: DenyPrivate::Never,
        ..settings.limits
    };
    settings
}

/// Prepares a request that one component makes to another: without `host`, and with Spin's own headers
/// (`crates/factor-outbound-http/src/wasi.rs`, `crates/trigger-http/src/outbound_http.rs`).
///
/// # Errors
///
/// When the value of a header is not UTF-8.
pub(crate) fn chain(parts: &mut Parts) -> Result<(), NotUtf8> {
    parts.headers.remove(HOST);
    let path = parts.uri.path().to_owned();
    add(parts, &Route::Prefix("/".to_owned()), path, CHAINED_CLIENT)
}

/// Prepares a request that a component makes to its own app.
///
/// # Errors
///
/// When the value of a header is not UTF-8.
pub(crate) fn ask_self(parts: &mut Parts, route: &Route) -> Result<(), NotUtf8> {
    strip(&mut parts.headers);
    let path = path_info(route, parts.uri.path());
    add(parts, route, path, SELF_CLIENT)
}

/// Lets a component see the headers of a request that it may not set itself, such as `host`.
///
/// Wasmtime 48 removes them; Spin 4.1 has Wasmtime 47, which does not.
#[derive(Default)]
pub(crate) struct AllHeaders;

impl WasiHttpHooks for AllHeaders {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        std::sync::Arc::new(|_| false)
    }
}
