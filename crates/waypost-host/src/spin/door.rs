//! Where a client's request enters an app on Spin (`crates/trigger-http/src/server.rs`).

use super::{bare, headers};
use crate::app::App;
use crate::body;
use crate::context::RequestContext;
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use wasmtime_wasi_http::WasiBody;
use waypost_config::manifest::Application;

/// Paths that Spin answers by itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// Answers a client.
///
/// # Errors
///
/// When the request names no host, or two: Spin closes the connection then, without an answer.
pub(crate) async fn enter(
    app: Arc<App>,
    request: Request<Incoming>,
    client: SocketAddr,
) -> io::Result<Response<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    headers::strip(&mut parts.headers);
    let path = parts.uri.path().to_owned();
    if let Some(name) = path.strip_prefix(WELL_KNOWN) {
        return Ok(well_known(&app, name));
    }
    // The asterisk of `OPTIONS *` fits a wildcard there.
    let routed = format!("/{}", path.trim_start_matches('/'));
    let Some(trigger) = app.manifest.trigger_for(&routed) else {
        return Ok(bare(StatusCode::NOT_FOUND));
    };
    parts.uri = absolute(&parts)?;
    let info = headers::path_info(&trigger.route, &routed);
    let context = RequestContext::from_client();
    let Some(component) = app.components.get(&trigger.component) else {
        return Ok(bare(StatusCode::NOT_FOUND));
    };
    if let Err(failure) = headers::add(&mut parts, &trigger.route, info, client) {
        failure.log(&component.grants, &context);
        return Ok(super::internal_error());
    }
    let body = body.map_err(Into::into).boxed_unsync();
    let request = Request::from_parts(parts, body);
    Ok(app.call(component, request, context).await.response)
}

/// The target with scheme and authority. Those of `Host` and of the target may not differ (`set_req_uri`).
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
