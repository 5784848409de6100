//! Serves health, metrics and the response cache to operators, on a listener of its own that is not for the public.

mod cache;
mod report;

use crate::app::App;
use crate::observe::metrics::Phase;
use crate::request::body;
use crate::request::failure::{plain, reason};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use wasmtime_wasi_http::WasiBody;

/// Path that says whether the app accepts requests.
pub(crate) const HEALTH: &str = "/.well-known/waypost/health";

/// Path of the counters, in the text format of Prometheus.
const METRICS: &str = "/.well-known/waypost/metrics";

/// Connections at once: few clients watch an app. One more ends the oldest, so that clients that stay silent, or read
/// nothing, keep nobody from asking.
const CONNECTIONS: usize = 32;

/// How long a connection may last. Whoever watches an app asks once, or connects again.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait after an error before accepting again: the process may be short of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Content type of the text format of Prometheus.
const EXPOSITION: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// The server for operators.
pub(crate) struct Admin {
    pub(crate) app: Arc<App>,
}

impl Admin {
    /// Serves until it is dropped.
    ///
    /// # Errors
    ///
    /// When the listener has no address, and so does not work.
    pub(crate) async fn serve(self, listener: TcpListener) -> io::Result<()> {
        listener.local_addr()?;
        let admin = Arc::new(self);
        let mut connections = JoinSet::new();
        let mut oldest_first = VecDeque::with_capacity(CONNECTIONS);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        oldest_first.retain(|connection: &AbortHandle| !connection.is_finished());
                        if oldest_first.len() >= CONNECTIONS
                            && let Some(oldest) = oldest_first.pop_front()
                        {
                            oldest.abort();
                        }
                        oldest_first.push_back(connections.spawn(Arc::clone(&admin).connection(stream)));
                    }
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request: Request<Incoming>| {
            let answered = self.answer(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        if let Ok(Err(error)) = tokio::time::timeout(LIFETIME, served).await {
            tracing::debug!(%error, "connection of an operator ended early");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<WasiBody> {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix(cache::CACHE)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            let rest = rest.trim_start_matches('/').to_owned();
            return cache::answer(&self.app, request, &rest).await;
        }
        let is_known = [HEALTH, METRICS].contains(&path);
        match path {
            _ if is_known && !is_read(request.method()) => not_allowed("GET, HEAD"),
            HEALTH => health(&self.app),
            METRICS => self.metrics(),
            _ => plain(StatusCode::NOT_FOUND, reason(StatusCode::NOT_FOUND)),
        }
    }

    fn metrics(&self) -> Response<WasiBody> {
        let mut response = Response::new(body::full(report::text(&self.app)));
        response.headers_mut().insert(CONTENT_TYPE, EXPOSITION);
        response
    }
}

/// Returns whether a method only reads.
pub(crate) fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

/// Makes the response that says whether the app accepts requests: a 503 while it does not. If its key-value stores cannot be
/// written, it still accepts them, because many need no store.
pub(crate) fn health(app: &App) -> Response<WasiBody> {
    let (status, text) = match app.metrics.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"starting"}"#),
        Phase::Serving if app.stores.report().is_failing => (
            StatusCode::OK,
            r#"{"status":"degraded","reason":"the key-value stores cannot be written"}"#,
        ),
        Phase::Serving => (StatusCode::OK, r#"{"status":"serving"}"#),
        Phase::Stopping => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stopping"}"#),
    };
    let mut response = plain(status, format!("{text}\n"));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(CONTENT_TYPE, json);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Makes the response to a method that a path does not have.
fn not_allowed(methods: &'static str) -> Response<WasiBody> {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = plain(status, reason(status));
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, methods);
    response
}
