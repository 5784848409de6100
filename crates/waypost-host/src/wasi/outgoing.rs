//! Requests that components make: to others of the app in memory, to the network if permitted.

use super::dispatch::{DataSession, Dispatch, PendingResponse};
use super::logs::ComponentLog;
use super::permissions::Permissions;
use super::upstream::{SendError, Upstream};
use crate::observe::labels::Labels;
use crate::observe::metrics::{Bound, Metrics};
use crate::observe::request_id::RequestId;
use crate::observe::untrusted::shown;
use crate::request::admission::{Admission, Full, Permit};
use crate::request::context::{CurrentRequest, RequestContext};
use crate::request::head::HeadSize;
use http::Request;
use http::uri::Authority;
use std::future::ready;
use std::sync::{Arc, Weak};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};
use waypost_cache::data;
use waypost_config::outbound::{Grant, SELF_AUTHORITY, service_chaining_target};
use waypost_config::settings::RouteLimits;

/// What the requests of all instances of a component have in common.
pub(crate) struct OutgoingConfig {
    pub(crate) dispatch: Weak<dyn Dispatch>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) labels: Arc<Labels>,
    pub(crate) log: Arc<ComponentLog>,
    pub(crate) limits: RouteLimits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) upstream: Arc<Upstream>,
}

/// Sends the requests of one instance.
pub(crate) struct Outgoing {
    config: Arc<OutgoingConfig>,
    current: Arc<CurrentRequest>,
    /// Limits the connections that the instance uses.
    connections: Admission,
    /// The data cache, if the component has one.
    data: Option<Arc<dyn DataSession>>,
}

impl OutgoingConfig {
    /// Logs a warning about a request, within what the component may log.
    fn warn(&self, request: RequestId, bound: Option<Bound>, text: &str) {
        if self.log.admits(text) {
            let Labels { route, component } = &*self.labels;
            let bound = bound.map(Bound::name);
            tracing::warn!(route, %component, %request, bound, "{text}");
        }
    }
}

enum Destination {
    Component(String),
    App,
    Network(Grant),
}

impl Outgoing {
    /// Makes the sender of an instance that works on `current`.
    pub(crate) fn new(
        config: &Arc<OutgoingConfig>,
        current: &Arc<CurrentRequest>,
        data: Option<Arc<dyn DataSession>>,
    ) -> Self {
        Self {
            config: Arc::clone(config),
            current: Arc::clone(current),
            connections: Admission::limited(config.limits.outbound_connections),
            data,
        }
    }

    /// Called when the guest has nothing left to do for a request.
    pub(crate) fn request_ended(&self) {
        if let Some(data) = &self.data {
            data.request_ended();
        }
    }

    fn send(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<PendingResponse, Error> {
        if request.uri().host().is_some_and(data::is_internal_host) {
            return self.ask_data_cache(request);
        }
        let destination = self.destination(&request)?;
        let context = self.chained(&request)?;
        let app = || {
            self.config
                .dispatch
                .upgrade()
                .ok_or(Error::ConnectionTerminated)
        };
        Ok(match destination {
            Destination::Component(id) => app()?.ask_component(id, request, context),
            Destination::App => app()?.ask_app(request, context),
            Destination::Network(grant) => self.ask_network(request, options, grant)?,
        })
    }

    /// Asks the data cache, which is in this host. No such request leaves it, whatever the manifest allows.
    fn ask_data_cache(&self, request: Request<WasiBody>) -> Result<PendingResponse, Error> {
        let authority = request.uri().authority().map(Authority::as_str);
        let data = self.data.as_ref();
        let data = data.filter(|_| authority == Some(data::AUTHORITY));
        let data = data.ok_or(Error::DestinationNotFound)?;
        Ok(Arc::clone(data).ask(request, self.current.get()))
    }

    fn ask_network(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        grant: Grant,
    ) -> Result<PendingResponse, Error> {
        let place = self.connection()?;
        let deny_private = self.config.limits.deny_private.applies_to(grant);
        let failed = self.failed(request.uri().authority());
        let upstream = Arc::clone(&self.config.upstream);
        Ok(Box::new(async move {
            let sent = upstream.send(request, options, deny_private, place).await;
            sent.map_err(failed)
        }))
    }

    /// Admits one more connection to another host.
    fn connection(&self) -> Result<Option<Permit>, Error> {
        self.connections.enter().map_err(|Full(limit)| {
            let bound = Bound::OutboundConnections;
            self.config.metrics.over(bound);
            let name = bound.name();
            self.warn(
                Some(bound),
                &format!("outgoing request refused: the instance has {limit} connections to other hosts, as many as `{name}` in `waypost.toml` allows"),
            );
            Error::ConnectionLimitReached
        })
    }

    /// Returns what logs and counts why a server gave no response, and keeps the code for the component.
    fn failed(
        &self,
        server: Option<&Authority>,
    ) -> impl FnOnce(SendError) -> Error + Send + 'static {
        let config = Arc::clone(&self.config);
        let request = self.current.get().id;
        let server = server.map(ToString::to_string).unwrap_or_default();
        move |error| {
            if let Some(bound) = error.bound {
                config.metrics.over(bound);
            }
            let text = format!("no response from `{server}`: {}", shown(&error.cause));
            config.warn(request, error.bound, &text);
            error.code
        }
    }

    /// Logs a warning about the current request.
    fn warn(&self, bound: Option<Bound>, text: &str) {
        self.config.warn(self.current.get().id, bound, text);
    }

    /// Returns where a request goes, if the manifest permits it.
    fn destination(&self, request: &Request<WasiBody>) -> Result<Destination, Error> {
        let uri = request.uri();
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            // A request has no place for a user (RFC 9110, section 4.2.4), and permissions are granted to hosts.
            return Err(Error::HttpRequestUriInvalid);
        }
        let scheme = uri.scheme_str().unwrap_or("http");
        let host = uri.host().unwrap_or(SELF_AUTHORITY);
        let port = uri.port_u16();
        let allowed_hosts = &self.config.permissions.allowed_hosts;
        if host == SELF_AUTHORITY {
            return match allowed_hosts.allows_self() {
                true => Ok(Destination::App),
                false => Err(self.denied("http://self")),
            };
        }
        let Some(grant) = allowed_hosts.grant(scheme, host, port) else {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            return Err(self.denied(&format!("{scheme}://{host}{port}")));
        };
        Ok(match service_chaining_target(host) {
            Some(id) => Destination::Component(id.to_owned()),
            None => Destination::Network(grant),
        })
    }

    fn denied(&self, host: &str) -> Error {
        let component = &self.config.labels.component;
        self.warn(
            None,
            &format!("outgoing request denied; to grant it, add \"{host}\" to `allowed_outbound_hosts` below `[component.{component}]` in `spin.toml`"),
        );
        Error::HttpRequestDenied
    }

    fn chained(&self, request: &Request<WasiBody>) -> Result<RequestContext, Error> {
        let head = || HeadSize::of(request.method(), request.uri(), request.headers());
        let most = self.config.limits.inner_requests;
        let context = match self.config.permissions.forwards {
            true => self.current.forwarded(head(), most),
            false => self.current.inner(most),
        };
        context.ok_or_else(|| {
            self.warn(None, "components call each other in a loop");
            Error::LoopDetected
        })
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> PendingResponse {
        match self.send(request, options) {
            Ok(response) => response,
            Err(error) => Box::new(ready(Err(error))),
        }
    }
}
