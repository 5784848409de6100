//! Where a client's request enters the app.

use super::compression::AcceptedEncodings;
use super::egress;
use crate::app::App;
use crate::instance::detach::Detachable;
use crate::observe::metrics::Bound;
use crate::request::admission::Permit;
use crate::request::body::{self, BodyFault, ClientBody};
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, bare, plain, reason, rejection};
use crate::request::head::{HeadSize, RequestError, check_host, is_about_the_server, prepare};
use crate::request::headers::{X_FORWARDED_FOR, X_FORWARDED_PORT};
use http::header::{ALLOW, CONNECTION, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use std::net::IpAddr;
use std::sync::Arc;
use wasmtime_wasi_http::WasiBody;
use waypost_router::X_REQUEST_ID;

/// Methods that handlers may implement, as the answer to `OPTIONS *`.
const METHODS: HeaderValue =
    HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");

/// The two ends of a connection, as the app learns them.
#[derive(Clone)]
pub(super) struct Endpoints {
    /// The address of the client.
    client: HeaderValue,
    /// The port that the client connected to.
    port: HeaderValue,
}

impl Endpoints {
    /// Describes a connection from `client` to a port of this host.
    #[expect(
        clippy::expect_used,
        reason = "an address is digits, letters, dots and colons"
    )]
    pub(super) fn new(client: IpAddr, port: u16) -> Self {
        let client = client.to_canonical().to_string();
        Self {
            client: HeaderValue::try_from(client).expect("digits and colons make a header value"),
            port: port.into(),
        }
    }

    /// Sets the headers that a proxy would set. Those that the client sent by these names were removed.
    fn add_to(&self, headers: &mut HeaderMap) {
        headers.insert(X_FORWARDED_FOR, self.client.clone());
        headers.insert(X_FORWARDED_PORT, self.port.clone());
    }
}

/// Answers a client's request; returns its place among those of the app with the response, to be kept until that is sent.
///
/// A handler that has begun is completed even if the client leaves.
pub(super) async fn enter(
    app: Arc<App>,
    request: Request<Incoming>,
    endpoints: Endpoints,
) -> (Response<WasiBody>, Option<Permit>) {
    let context = RequestContext::from_client();
    let Ok(place) = app.admission.enter() else {
        tracing::debug!(request = %context.id, "{}", Failure::AppBusy);
        app.metrics.over(Bound::Concurrency);
        return (Failure::AppBusy.response(&context, app.development), None);
    };
    let compress = app.settings.server.compress;
    let encodings = compress.then(|| AcceptedEncodings::of(&request));
    let client_left = Arc::clone(&context.client_left);
    let metrics = Arc::clone(&app.metrics);
    let work = async move { (answer(&app, request, context, endpoints).await, place) };
    let (response, place) = Detachable::new(work).signalling(client_left).await;
    let response = response.unwrap_or_else(|error| {
        error.bound().inspect(|bound| metrics.over(*bound));
        reject(error)
    });
    let response = match encodings {
        Some(encodings) => encodings.compress(response).await,
        None => response,
    };
    (response, place)
}

async fn answer(
    app: &App,
    request: Request<Incoming>,
    mut context: RequestContext,
    endpoints: Endpoints,
) -> Result<Response<WasiBody>, RequestError> {
    let (mut parts, body) = request.into_parts();
    if is_about_the_server(&parts) {
        check_host(&parts)?;
        return Ok(server_options());
    }
    context.head = HeadSize::of(&parts.method, &parts.uri, &parts.headers);
    context.head.check(&app.widest)?;
    prepare(&mut parts, app.settings.server.origin.as_ref())?;
    let Some(component) = app.route(parts.uri.path()) else {
        return Ok(plain(StatusCode::NOT_FOUND, reason(StatusCode::NOT_FOUND)));
    };
    let id = context.id.header_value();
    parts.headers.insert(X_REQUEST_ID, id);
    endpoints.add_to(&mut parts.headers);
    let (body, stalled) = client_body(body, app);
    let request = Request::from_parts(parts, body);
    let (reply, component) = app.enter(component, request, context.clone()).await;
    if stalled.is_some_and(|fault| fault.is_raised()) {
        // The component may have made anything of the error that it saw.
        return Err(RequestError::StalledBody);
    }
    Ok(egress::prepare(app, component, reply, &context).await)
}

/// Returns the body of a request, which fails when the client stops sending, and the flag that it raises then.
fn client_body(body: Incoming, app: &App) -> (WasiBody, Option<BodyFault>) {
    if body.is_end_stream() {
        return (body::empty(), None);
    }
    let stalled = BodyFault::default();
    let idle_timeout = app.settings.limits.idle_timeout;
    let metrics = Arc::clone(&app.metrics);
    let body = ClientBody::new(body, idle_timeout, stalled.clone(), metrics);
    (body.boxed_unsync(), Some(stalled))
}

fn reject(error: RequestError) -> Response<WasiBody> {
    let mut response = rejection(error);
    if error == RequestError::StalledBody {
        // The rest of the request is not worth reading.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

fn server_options() -> Response<WasiBody> {
    let mut response = bare(StatusCode::NO_CONTENT);
    response.headers_mut().insert(ALLOW, METHODS);
    response
}
