//! Where a client's request enters the app, and where its response leaves.

use super::compression::Wish;
use crate::app::{App, Reply};
use crate::body::{self, BodyFault, PatientBody, first_frame};
use crate::component::LazyComponent;
use crate::context::RequestContext;
use crate::failure::{Failure, plain, reason, refusal};
use crate::headers::strip_hop_by_hop;
use crate::headers::{X_FORWARDED_FOR, X_FORWARDED_PORT};
use crate::lasting::Lasting;
use crate::metrics::Bound;
use crate::request::{HeadSize, RequestError, check_host, is_about_the_server, prepare};
use http::header::{ALLOW, CONNECTION, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::ext::ReasonPhrase;
use std::net::IpAddr;
use std::sync::Arc;
use wasmtime_wasi_http::WasiBody;
use waypost_router::X_REQUEST_ID;

/// Methods that handlers may implement: the answer to `OPTIONS *`.
const METHODS: HeaderValue =
    HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");

/// The two ends of a connection.
#[derive(Clone)]
pub(super) struct Ends {
    /// The address of the client.
    client: HeaderValue,
    /// The port that it came to.
    port: HeaderValue,
}

impl Ends {
    /// Describes a connection of `client` to a port of this host.
    pub(super) fn new(client: IpAddr, port: u16) -> Self {
        let client = client.to_canonical().to_string();
        Self {
            client: HeaderValue::try_from(client).expect("digits and colons make a header value"),
            port: port.into(),
        }
    }

    /// Tells the app who the client is, as a proxy would. What the client itself says of it was removed.
    fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(X_FORWARDED_FOR, self.client.clone());
        headers.insert(X_FORWARDED_PORT, self.port.clone());
    }
}

/// Answers a client. What a handler has begun for it goes on when the client leaves.
pub(super) async fn enter(
    app: Arc<App>,
    request: Request<Incoming>,
    ends: Ends,
) -> Response<WasiBody> {
    let context = RequestContext::from_client();
    let Ok(permit) = app.admission.enter() else {
        tracing::debug!(request = %context.id, "{}", Failure::AppBusy);
        app.metrics.over(Bound::Concurrency);
        return Failure::AppBusy.response(&context, app.development);
    };
    let wish = app.settings.server.compress.then(|| Wish::of(&request));
    let left = context.left.clone();
    let metrics = Arc::clone(&app.metrics);
    let work = async move { (admitted(&app, request, context, ends).await, permit) };
    let (response, permit) = Lasting::new(work).telling(left).await;
    let response = response.unwrap_or_else(|error| {
        error.bound().inspect(|bound| metrics.over(*bound));
        last_word(error)
    });
    let response = match wish {
        Some(wish) => wish.fulfil(response).await,
        None => response,
    };
    // The place is kept until the response is sent.
    response.map(|body| body::Held::new(body, permit).boxed_unsync())
}

async fn admitted(
    app: &App,
    request: Request<Incoming>,
    mut context: RequestContext,
    ends: Ends,
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
    parts
        .headers
        .insert(X_REQUEST_ID, context.id.header_value());
    ends.tell(&mut parts.headers);
    let (body, stalled) = patient(body, app);
    let request = Request::from_parts(parts, body);
    let (reply, component) = app.enter(component, request, context.clone()).await;
    if stalled.is_some_and(|fault| fault.is_raised()) {
        // Whatever the component made of the error that it saw.
        return Err(RequestError::StalledBody);
    }
    Ok(outward(app, component, reply, &context).await)
}

/// Gives a body that does not wait for ever, and the flag that it raises when its client stopped sending.
fn patient(body: Incoming, app: &App) -> (WasiBody, Option<BodyFault>) {
    if body.is_end_stream() {
        return (body::empty(), None);
    }
    let stalled = BodyFault::default();
    let patience = app.settings.limits.idle_timeout;
    let metrics = Arc::clone(&app.metrics);
    let body = PatientBody::new(body, patience, stalled.clone(), metrics);
    (body.boxed_unsync(), Some(stalled))
}

/// Makes a component's response fit for the client.
async fn outward(
    app: &App,
    component: &LazyComponent,
    reply: Reply,
    context: &RequestContext,
) -> Response<WasiBody> {
    let (mut parts, body) = reply.response.into_parts();
    strip_hop_by_hop(&mut parts.headers);
    if parts.status.is_server_error() {
        let id = context.id.header_value();
        parts.headers.entry(X_REQUEST_ID).or_insert(id);
    }
    if parts.status.canonical_reason().is_none() {
        // hyper would write `<none>`.
        parts
            .extensions
            .insert(ReasonPhrase::from_static(b"unknown"));
    }
    match first_frame(body, reply.rest).await {
        Ok(body) => Response::from_parts(parts, body.boxed_unsync()),
        Err(error) => {
            let failure = Failure::Body(error.to_string());
            failure.log(&component.grants, context);
            failure.response(context, app.development)
        }
    }
}

fn last_word(error: RequestError) -> Response<WasiBody> {
    let mut response = refusal(error);
    if error == RequestError::StalledBody {
        // What the client still sends is not worth reading.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn server_options() -> Response<WasiBody> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, METHODS);
    response
}
