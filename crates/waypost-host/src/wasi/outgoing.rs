//! Requests that components make: to others of the app in memory, to the network if permitted.

use super::dispatch::{Dispatch, PendingResponse};
use super::permissions::Permissions;
use super::upstream::{MAX_APP_CONNECTIONS, MAX_CONNECTIONS, Upstream};
use crate::observe::labels::Labels;
use crate::request::admission::{Admission, Permit};
use crate::request::context::{CurrentRequest, RequestContext};
use crate::request::head::HeadSize;
use http::Request;
use std::future::ready;
use std::sync::{Arc, Weak};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};
use waypost_config::outbound::{SELF_AUTHORITY, service_chaining_target};

/// Sends the requests of one instance.
pub(crate) struct Outgoing {
    dispatch: Weak<dyn Dispatch>,
    permissions: Arc<Permissions>,
    labels: Arc<Labels>,
    current: Arc<CurrentRequest>,
    upstream: Arc<Upstream>,
    /// Limits the connections that the instance uses.
    connections: Admission,
}

enum Destination {
    Component(String),
    App,
    Network,
}

impl Outgoing {
    /// Makes the sender of an instance that works on `current`.
    pub(crate) fn new(
        dispatch: Weak<dyn Dispatch>,
        permissions: Arc<Permissions>,
        labels: Arc<Labels>,
        current: Arc<CurrentRequest>,
        upstream: Arc<Upstream>,
    ) -> Self {
        Self {
            dispatch,
            permissions,
            labels,
            current,
            upstream,
            connections: Admission::limited(MAX_CONNECTIONS),
        }
    }

    fn send(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<PendingResponse, Error> {
        let destination = self.destination(&request)?;
        let context = self.chained(&request)?;
        let app = || self.dispatch.upgrade().ok_or(Error::ConnectionTerminated);
        Ok(match destination {
            Destination::Component(id) => app()?.ask_component(id, request, context),
            Destination::App => app()?.ask_app(request, context),
            Destination::Network => {
                let place = self.connection()?;
                let upstream = Arc::clone(&self.upstream);
                let (labels, id) = (Arc::clone(&self.labels), self.current.get().id);
                let server = request.uri().authority().map(ToString::to_string);
                Box::new(async move {
                    let sent = upstream.send(request, options, place).await;
                    sent.map_err(|error| {
                        let Labels { route, component } = &*labels;
                        let (server, cause) = (server.unwrap_or_default(), error.cause);
                        tracing::warn!(route, %component, request = %id, "no response from `{server}`: {cause}");
                        error.code
                    })
                })
            }
        })
    }

    /// Admits one more connection to another host.
    fn connection(&self) -> Result<Option<Permit>, Error> {
        self.connections.enter().map_err(|_| {
            let Labels { route, component } = &*self.labels;
            let request = self.current.get().id;
            tracing::warn!(
                route, %component, %request,
                "outgoing request refused: an instance may have {MAX_CONNECTIONS} connections to other hosts open, the app {MAX_APP_CONNECTIONS}"
            );
            Error::ConnectionLimitReached
        })
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
        let allowed_hosts = &self.permissions.allowed_hosts;
        if host == SELF_AUTHORITY {
            return match allowed_hosts.allows_self() {
                true => Ok(Destination::App),
                false => Err(self.denied("http://self")),
            };
        }
        if !allowed_hosts.allows(scheme, host, port) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            return Err(self.denied(&format!("{scheme}://{host}{port}")));
        }
        Ok(match service_chaining_target(host) {
            Some(id) => Destination::Component(id.to_owned()),
            None => Destination::Network,
        })
    }

    fn denied(&self, host: &str) -> Error {
        let Labels { route, component } = &*self.labels;
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
        let context = match self.permissions.forwards {
            true => current.forwarded(head()),
            false => self.current.inner(),
        };
        context.ok_or_else(|| {
            let Labels { route, component } = &*self.labels;
            tracing::error!(route, %component, request = %current.id, "components call each other in a loop");
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
