//! The manner of Spin 4.1: what it does to a request and a response, where this host does otherwise.
//!
//! It is all here and in what this module is asked for by name; its order is Spin's own, so that what an app sees
//! is byte for byte what it sees there. Each function names the file of spinframework/spin that it follows.
//!
//! What is not imitated: a loop of components that ask each other ends after sixteen; memory is bounded as the
//! settings say; the log is this host's; a request to `http://self` stays in memory, from `127.0.0.1:0` to
//! `localhost`; a component is loaded when it is first asked for, and not before the first request; an instance takes one request
//! at a time, not sixteen.

mod door;
mod headers;

pub(crate) use door::enter;

use crate::failure::Failure;
use http::header::HOST;
use http::request::Parts;
use http::{Response, StatusCode};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use wasmtime_wasi_http::{ForbiddenHeaderFilter, WasiBody, WasiHttpHooks};
use waypost_config::Settings;
use waypost_config::manifest::Route;
use waypost_config::settings::Limits;

/// The client of a request that one component makes to another (`crates/trigger-http/src/outbound_http.rs`).
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The client of a request that a component makes to its own app.
const SELF_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Longer than any test waits for, and short enough to be added to a moment.
const EVER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Takes from an app's settings what Spin has no word for.
pub(crate) fn settings(settings: Settings) -> Settings {
    let mut settings = settings.without_routes();
    settings.server.compress = false;
    settings.server.origin = None;
    settings.server.public_health = false;
    settings.limits = Limits {
        max_duration: EVER,
        cpu_time: EVER,
        idle_timeout: EVER,
        request_body: None,
        route_concurrency: settings.limits.concurrency,
        ..settings.limits
    };
    settings
}

/// Makes the request of one component fit for another: no `host`, and what Spin says of it
/// (`crates/factor-outbound-http/src/wasi.rs`, `crates/trigger-http/src/outbound_http.rs`).
///
/// # Errors
///
/// When a header is no text.
pub(crate) fn chain(parts: &mut Parts) -> Result<(), Failure> {
    parts.headers.remove(HOST);
    let path = parts.uri.path().to_owned();
    headers::add(parts, &Route::Prefix("/".to_owned()), path, CHAINED_CLIENT)
}

/// Makes the request of a component fit for the app's own front door.
///
/// # Errors
///
/// When a header is no text.
pub(crate) fn ask_self(parts: &mut Parts, route: &Route) -> Result<(), Failure> {
    headers::strip(&mut parts.headers);
    let path = headers::path_info(route, parts.uri.path());
    headers::add(parts, route, path, SELF_CLIENT)
}

/// What whoever asked a component gets where it failed: it is the same for every reason
/// (`internal_error` in `crates/trigger-http/src/server.rs`).
pub(crate) fn internal_error() -> Response<WasiBody> {
    bare(StatusCode::INTERNAL_SERVER_ERROR)
}

fn bare(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(crate::body::empty());
    *response.status_mut() = status;
    response
}

/// The way of a request into a component: what it may not set itself, `host` and its like, it sees all the same.
///
/// Wasmtime 48 takes that off; Spin 4.1 has Wasmtime 47, which does not.
#[derive(Default)]
pub(crate) struct Entrance;

impl WasiHttpHooks for Entrance {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        std::sync::Arc::new(|_| false)
    }
}
