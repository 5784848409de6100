//! Requests that components make: to others of the app in memory, to the network if granted.

use crate::app::App;
use crate::context::{CurrentRequest, RequestContext};
use crate::failure::Failure;
use crate::grants::Grants;
use crate::headers::strip_request;
use crate::manner::Manner;
use crate::request::HeadSize;
use crate::spin;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::BodyExt;
use std::sync::{Arc, Weak};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};
use waypost_config::outbound::{SELF_AUTHORITY, service_chaining_target};
use waypost_router::X_REQUEST_ID;

/// The way out of one instance.
pub(crate) struct Outgoing {
    app: Weak<App>,
    grants: Arc<Grants>,
    current: Arc<CurrentRequest>,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

enum Destination {
    Component(String),
    FrontDoor,
    Network,
}

impl Outgoing {
    /// Makes the way out of an instance of the component that `grants` belongs to.
    pub(crate) fn new(app: Weak<App>, grants: Arc<Grants>, current: Arc<CurrentRequest>) -> Self {
        Self {
            app,
            grants,
            current,
        }
    }

    /// Where a request goes, if the manifest lets it.
    fn destination(&self, request: &Request<WasiBody>) -> Result<Destination, Error> {
        let uri = request.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        let host = uri.host().unwrap_or(SELF_AUTHORITY);
        let port = uri.port_u16();
        if host == SELF_AUTHORITY {
            let granted = self.grants.allowed_hosts.allows_self();
            return granted
                .then_some(Destination::FrontDoor)
                .ok_or_else(|| self.denied("http://self"));
        }
        if !self.grants.allowed_hosts.allows(scheme, host, port) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            return Err(self.denied(&format!("{scheme}://{host}{port}")));
        }
        Ok(match service_chaining_target(host) {
            Some(id) => Destination::Component(id.to_owned()),
            None => Destination::Network,
        })
    }

    fn denied(&self, host: &str) -> Error {
        let (route, component) = (self.grants.name.as_str(), &self.grants.id);
        let request = self.current.get().id;
        tracing::warn!(
            route, %component, %request,
            "outgoing request denied; to grant it, add \"{host}\" to `allowed_outbound_hosts` below `[component.{component}]` in `spin.toml`"
        );
        Error::HttpRequestDenied
    }

    fn chained(&self, request: &Request<WasiBody>) -> Result<RequestContext, Error> {
        let current = self.current.get();
        let head = || HeadSize::of(request.method(), request.uri(), request.headers());
        let context = match self.grants.is_router {
            true => current.handed_on(head()),
            false => current.chained(),
        };
        context.ok_or_else(|| {
            let (route, component) = (self.grants.name.as_str(), &self.grants.id);
            tracing::error!(route, %component, request = %current.id, "components call each other in a loop");
            Error::LoopDetected
        })
    }
}

/// Has a component of the same app answer in memory. Dropping the future drops that request.
async fn ask_component(
    app: Weak<App>,
    id: String,
    request: Request<WasiBody>,
    context: RequestContext,
) -> Sent {
    let app = app.upgrade().ok_or(Error::ConnectionTerminated)?;
    let component = app
        .components
        .get(id.as_str())
        .ok_or(Error::DestinationNotFound)?;
    let request = match app.manner {
        Manner::Waypost => request,
        Manner::Spin => match with_parts(request, spin::chain) {
            Ok(request) => request,
            Err(failure) => {
                failure.log(&component.grants, &context);
                return Ok(answered(spin::internal_error()));
            }
        },
    };
    let reply = app.call(component, request, context).await;
    Ok(answered(reply.response))
}

/// Has the app answer as if a client had asked. Dropping the future drops that request.
async fn ask_front_door(
    app: Weak<App>,
    mut request: Request<WasiBody>,
    context: RequestContext,
) -> Sent {
    let app = app.upgrade().ok_or(Error::ConnectionTerminated)?;
    let component = app
        .route(request.uri().path())
        .ok_or(Error::DestinationNotFound)?;
    match app.manner {
        Manner::Waypost => {
            // At the door a component is a client: it can't say what only the host may say.
            strip_request(request.headers_mut());
            let id = context.id.header_value();
            request.headers_mut().insert(X_REQUEST_ID, id);
        }
        Manner::Spin => {
            let path = request.uri().path();
            let trigger = app.manifest.trigger_for(path);
            let route = &trigger.ok_or(Error::DestinationNotFound)?.route;
            request = match with_parts(request, |parts| spin::ask_self(parts, route)) {
                Ok(request) => request,
                Err(_) => return Ok(answered(spin::internal_error())),
            };
        }
    }
    let (reply, _) = app.enter(component, request, context).await;
    Ok(answered(reply.response))
}

fn with_parts(
    request: Request<WasiBody>,
    change: impl FnOnce(&mut Parts) -> Result<(), Failure>,
) -> Result<Request<WasiBody>, Failure> {
    let (mut parts, body) = request.into_parts();
    change(&mut parts)?;
    Ok(Request::from_parts(parts, body))
}

async fn ask_network(request: Request<WasiBody>, options: Option<RequestOptions>) -> Sent {
    let (response, io) = default_send_request(request, options).await?;
    Ok((response.map(BodyExt::boxed_unsync), Box::new(io)))
}

fn answered(response: Response<WasiBody>) -> (Response<WasiBody>, Io) {
    (response, Box::new(std::future::ready(Ok(()))))
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let app = Weak::clone(&self.app);
        let plan = self
            .destination(&request)
            .and_then(|to| Ok((to, self.chained(&request)?)));
        Box::new(async move {
            match plan? {
                (Destination::Component(id), context) => {
                    ask_component(app, id, request, context).await
                }
                (Destination::FrontDoor, context) => ask_front_door(app, request, context).await,
                (Destination::Network, _) => ask_network(request, options).await,
            }
        })
    }
}
