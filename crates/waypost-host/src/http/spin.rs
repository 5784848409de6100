//! A connection as Spin serves it (`crates/trigger-http/src/server.rs`): without limits of time or size but those of the
//! HTTP library, and without `TCP_NODELAY`.

use crate::app::App;
use crate::compat::spin::{add, path_info, strip};
use crate::instance::detach::Detachable;
use crate::request::body;
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, bare};
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::WasiBody;
use waypost_config::manifest::Application;

/// Prefix of the paths that Spin answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// Serves a connection until it ends, gracefully when `stopping` is cancelled.
pub(super) async fn run(
    app: Arc<App>,
    stream: TcpStream,
    client: SocketAddr,
    stopping: &CancellationToken,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let app = Arc::clone(&app);
        // A component runs on when its client leaves, and does not learn of it.
        async move { Detachable::new(enter(app, request, client)).await }
    });
    let builder = Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "connection ended early");
    }
}

/// Answers a client.
///
/// # Errors
///
/// When the request names no host, or two different ones: then Spin closes the connection without an answer.
async fn enter(
    app: Arc<App>,
    request: Request<Incoming>,
    client: SocketAddr,
) -> io::Result<Response<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    strip(&mut parts.headers);
    let path = parts.uri.path().to_owned();
    if let Some(name) = path.strip_prefix(WELL_KNOWN) {
        return Ok(well_known(&app, name));
    }
    // On Spin, the asterisk of `OPTIONS *` matches a wildcard.
    let routed = format!("/{}", path.trim_start_matches('/'));
    let Some(trigger) = app.manifest.trigger_for(&routed) else {
        return Ok(bare(StatusCode::NOT_FOUND));
    };
    parts.uri = absolute(&parts)?;
    let info = path_info(&trigger.route, &routed);
    let context = RequestContext::from_client();
    let Some(component) = app.components.get(&trigger.component) else {
        return Ok(bare(StatusCode::NOT_FOUND));
    };
    if let Err(error) = add(&mut parts, &trigger.route, info, client) {
        let failure = Failure::Returned(error.to_string());
        return Ok(app.fail(component, &failure, &context));
    }
    let body = body.map_err(Into::into).boxed_unsync();
    let request = Request::from_parts(parts, body);
    Ok(app.call(component, request, context).await.response)
}

/// Returns the target with scheme and authority. The authorities of `Host` and of the target must be equal (`set_req_uri`).
fn absolute(parts: &Parts) -> io::Result<Uri> {
    let refused = || io::Error::from(ErrorKind::InvalidData);
    let host: Option<Authority> = match parts.headers.get(HOST).map(HeaderValue::to_str) {
        None => None,
        Some(host) => Some(
            host.ok()
                .and_then(|host| host.parse().ok())
                .ok_or_else(refused)?,
        ),
    };
    let authority = match (host, parts.uri.authority().cloned()) {
        (Some(host), Some(target)) if host != target => return Err(refused()),
        (host, target) => host.or(target).ok_or_else(refused)?,
    };
    let target = parts.uri.path_and_query().cloned();
    let mut absolute = http::uri::Parts::default();
    absolute.scheme = Some(Scheme::HTTP);
    absolute.authority = Some(authority);
    absolute.path_and_query = target.or_else(|| Some(PathAndQuery::from_static("/")));
    Uri::from_parts(absolute).map_err(|_| refused())
}

fn well_known(app: &App, name: &str) -> Response<WasiBody> {
    match name {
        "health" => Response::new(body::full("OK")),
        "info" => {
            let Application { name, version, .. } = &app.manifest.application;
            let info = format!("{{\n  \"name\": {name:?},\n  \"version\": {version:?}\n}}");
            let mut response = Response::new(body::full(info));
            let kind = HeaderValue::from_static("application/json");
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, kind);
            response
        }
        _ => bare(StatusCode::NOT_FOUND),
    }
}
