//! Where a client's request enters the app.

use super::compression::AcceptedEncodings;
use super::egress;
use crate::app::App;
use crate::app::cache::door::Target;
use crate::instance::detach::Detachable;
use crate::observe::metrics::Bound;
use crate::request::admission::{Full, Permit};
use crate::request::body::{self, ClientBody, ClientFault, Unread};
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, bare, plain, reason, rejection};
use crate::request::head::{HeadSize, RequestError, check_host, is_about_the_server, prepare};
use crate::request::headers::{X_FORWARDED_FOR, X_FORWARDED_PORT};
use http::header::{ALLOW, CONNECTION, EXPECT, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use std::net::SocketAddr;
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
    /// The address that the client connected to.
    own: SocketAddr,
}

impl Endpoints {
    /// Describes a connection from `client` to an address of this host.
    #[expect(
        clippy::expect_used,
        reason = "an address is digits, letters, dots and colons"
    )]
    pub(super) fn new(client: SocketAddr, own: SocketAddr) -> Self {
        let client = client.ip().to_canonical().to_string();
        Self {
            client: HeaderValue::try_from(client).expect("digits and colons make a header value"),
            port: own.port().into(),
            own,
        }
    }

    /// Sets the headers that a proxy would set. Those that the client sent by these names were removed.
    fn add_to(&self, headers: &mut HeaderMap) {
        headers.insert(X_FORWARDED_FOR, self.client.clone());
        headers.insert(X_FORWARDED_PORT, self.port.clone());
    }
}

/// The answer to a client's request.
pub(super) struct Answered {
    pub(super) response: Response<WasiBody>,
    /// The request's place among those of the app, to be kept until the response is sent.
    pub(super) place: Option<Permit>,
    /// Whether the connection must end after the response, because the host reads no further request from it.
    pub(super) is_last: bool,
}

/// Answers a client's request.
///
/// A handler that has begun is completed even if the client leaves. If the `target` leads to a stored response, that is noted.
pub(super) async fn enter(
    app: Arc<App>,
    request: Request<Incoming>,
    endpoints: Endpoints,
    target: Option<Target>,
) -> Answered {
    let (parts, body) = request.into_parts();
    if parts.method == Method::CONNECT {
        // What follows may not be HTTP.
        return Answered {
            response: no_tunnel(),
            place: None,
            is_last: true,
        };
    }
    let is_http2 = parts.version == Version::HTTP_2;
    let (body, fault, unread) = client_body(&parts, body, &app);
    let request = Request::from_parts(parts, body);
    let (response, place, ends_connection) = admitted(app, request, fault, endpoints, target).await;
    let is_left = match unread {
        // Over HTTP/2, only the stream ends.
        Some(unread) if !is_http2 && !ends_connection => unread.remains().await,
        _ => false,
    };
    Answered {
        response,
        place,
        is_last: ends_connection || is_left,
    }
}

/// Answers a request, unless the app has too many already; returns whether it was rejected so that its connection must end.
async fn admitted(
    app: Arc<App>,
    request: Request<WasiBody>,
    fault: Option<ClientFault>,
    endpoints: Endpoints,
    target: Option<Target>,
) -> (Response<WasiBody>, Option<Permit>, bool) {
    let mut context = RequestContext::from_client();
    context.client_fault = fault;
    let place = match app.admission.enter() {
        Ok(place) => place,
        Err(Full(limit)) => {
            let failure = Failure::AppBusy(limit);
            tracing::debug!(request = %context.id, "{failure}");
            app.metrics.over(Bound::Concurrency);
            let response = failure.response(&context, app.development);
            return (response, None, false);
        }
    };
    let compress = app.settings.server.compress;
    let encodings = compress.then(|| AcceptedEncodings::of(&request));
    let client_left = Arc::clone(&context.client_left);
    let metrics = Arc::clone(&app.metrics);
    let work = async move {
        (
            answer(&app, request, context, endpoints, target).await,
            place,
        )
    };
    let (response, place) = Detachable::new(work).signalling(client_left).await;
    let mut ends_connection = false;
    let response = response.unwrap_or_else(|error| {
        error.bound().inspect(|bound| metrics.over(*bound));
        ends_connection = error.ends_connection();
        rejection(error)
    });
    let response = match encodings {
        Some(encodings) => encodings.compress(response).await,
        None => response,
    };
    (response, place, ends_connection)
}

async fn answer(
    app: &Arc<App>,
    request: Request<WasiBody>,
    mut context: RequestContext,
    endpoints: Endpoints,
    target: Option<Target>,
) -> Result<Response<WasiBody>, RequestError> {
    let (mut parts, body) = request.into_parts();
    if is_about_the_server(&parts) {
        check_host(&parts)?;
        return Ok(server_options());
    }
    context.head = HeadSize::of(&parts.method, &parts.uri, &parts.headers);
    context.head.check(&app.widest)?;
    let origin = app.settings.server.origin.as_ref();
    prepare(&mut parts, origin, endpoints.own)?;
    let Some(component) = app.route(parts.uri.path()) else {
        return Ok(plain(StatusCode::NOT_FOUND, reason(StatusCode::NOT_FOUND)));
    };
    let id = context.id.header_value();
    parts.headers.insert(X_REQUEST_ID, id);
    endpoints.add_to(&mut parts.headers);
    let fault = context.client_fault.clone();
    let method = parts.method.clone();
    let request = Request::from_parts(parts, body);
    let (reply, component) = app.enter(component, request, context.clone(), target).await;
    if let Some(error) = fault.and_then(|fault| fault.get()) {
        // The component may have made anything of the error that it saw.
        return Err(error);
    }
    Ok(egress::prepare(app, component, &method, reply, &context).await)
}

/// Returns the body of a request as a component reads it, with what becomes known of it later, if there is a body.
fn client_body(
    parts: &Parts,
    body: Incoming,
    app: &App,
) -> (WasiBody, Option<ClientFault>, Option<Unread>) {
    if body.is_end_stream() {
        return (body::empty(), None, None);
    }
    let expects_continue = parts.headers.contains_key(EXPECT);
    let idle_timeout = app.settings.limits.idle_timeout;
    let metrics = Arc::clone(&app.metrics);
    let (body, fault, unread) = ClientBody::new(body, expects_continue, idle_timeout, metrics);
    (body.boxed_unsync(), Some(fault), Some(unread))
}

/// Adds `Connection: close` to a response: the host closes the connection after it.
pub(super) fn say_close<B>(response: &mut Response<B>) {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
}

/// Makes the response to `CONNECT`: there is nothing to tunnel to.
fn no_tunnel() -> Response<WasiBody> {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = plain(status, reason(status));
    response.headers_mut().insert(ALLOW, METHODS);
    response
}

fn server_options() -> Response<WasiBody> {
    let mut response = bare(StatusCode::NO_CONTENT);
    response.headers_mut().insert(ALLOW, METHODS);
    response
}
