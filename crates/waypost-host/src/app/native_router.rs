//! The app's router as a part of the host: it decides as the router component does, by the same code, without an instance
//! for each request.

mod table;

pub use table::RoutesError;
pub(crate) use table::Table;

use crate::app::component::LazyComponent;
use crate::request::body;
use crate::request::context::RequestContext;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use wasmtime_wasi_http::WasiBody;
use waypost_config::ComponentId;
use waypost_config::outbound::authority_of;
use waypost_router::{Answer, Destination, Forwarding, Router, TRUSTED_HEADERS, trusted_headers};

/// A router that the host runs in place of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeRouter {
    /// The component that it replaces: the one with the public address. It is not loaded.
    pub component: ComponentId,
    /// The file of the route table with which the component is compiled. A changed file is read again.
    pub routes: PathBuf,
}

/// The router at work.
pub(crate) struct Routing {
    component: ComponentId,
    table: Table,
    handlers: HashMap<String, Handler>,
    trusted: Vec<String>,
}

/// A request that has a handler.
pub(crate) struct Dispatched<'a> {
    pub(crate) component: &'a Arc<LazyComponent>,
    /// The request as the handler gets it.
    pub(crate) request: Request<WasiBody>,
    /// The table by which it was routed.
    pub(crate) router: Arc<Router>,
}

/// A component that a request can be routed to.
struct Handler {
    component: Arc<LazyComponent>,
    /// The authority by which a router component reaches it.
    authority: Authority,
    host: HeaderValue,
}

impl Routing {
    /// Makes the router that replaces `component`.
    pub(crate) fn new(
        component: ComponentId,
        table: Table,
        components: &BTreeMap<ComponentId, Arc<LazyComponent>>,
    ) -> Self {
        let environment = components
            .get(&component)
            .map(|router| &router.config.permissions.environment);
        let trusted = environment.and_then(|environment| environment.get(TRUSTED_HEADERS));
        Self {
            component,
            table,
            handlers: components.iter().filter_map(handler).collect(),
            trusted: trusted_headers(trusted.map_or("", String::as_str)),
        }
    }

    /// Returns whether the router replaces this component.
    pub(crate) fn replaces(&self, component: &ComponentId) -> bool {
        self.component == *component
    }

    /// Lets the next request check the file of the table for changes.
    pub(crate) fn look_again(&self) {
        self.table.look_again();
    }

    /// Finds the handler of a request.
    ///
    /// # Errors
    ///
    /// The router's own answer, if there is no handler to ask.
    pub(crate) fn dispatch(
        &self,
        request: Request<WasiBody>,
        context: &RequestContext,
    ) -> Result<Dispatched<'_>, Answer> {
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
        let router = self.table.current();
        let destination = router.destination(parts.method.as_str(), target, &parts.headers)?;
        let forwarding = Forwarding {
            scheme: parts.uri.scheme_str().unwrap_or("http"),
            authority: parts.uri.authority().map(Authority::as_str),
            new_id: &|| context.id.to_string(),
            trusted: &self.trusted,
        };
        let headers = std::mem::take(&mut parts.headers);
        let forwarded = forwarding.apply(headers).map_err(Answer::bad_request)?;
        let handler = self.handler(destination, context)?;
        parts.headers = forwarded.headers;
        parts.headers.insert(HOST, handler.host.clone());
        parts.uri = handler.address(parts.uri);
        let component = &handler.component;
        let request = Request::from_parts(parts, body);
        Ok(Dispatched {
            component,
            request,
            router,
        })
    }

    /// Returns whether the route table is still this one.
    pub(crate) fn has_table(&self, router: &Arc<Router>) -> bool {
        self.table.is_current(router)
    }

    fn handler(
        &self,
        destination: &Destination,
        context: &RequestContext,
    ) -> Result<&Handler, Answer> {
        let id = destination.component();
        self.handlers.get(id).ok_or_else(|| {
            let request = context.id;
            tracing::error!(%request, "the table of routes names the component `{id}`, which `spin.toml` did not have when the host started: start it again");
            Answer::internal_error(&request.to_string())
        })
    }
}

fn handler((id, component): (&ComponentId, &Arc<LazyComponent>)) -> Option<(String, Handler)> {
    let authority: Authority = authority_of(id).parse().ok()?;
    let handler = Handler {
        component: Arc::clone(component),
        host: HeaderValue::try_from(authority.as_str()).ok()?,
        authority,
    };
    Some((id.to_string(), handler))
}

impl Handler {
    /// Returns the target of a request with the handler's own authority.
    fn address(&self, target: Uri) -> Uri {
        let mut parts = target.into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts
            .path_and_query
            .get_or_insert(PathAndQuery::from_static("/"));
        // With all three parts it is always valid.
        Uri::from_parts(parts).unwrap_or_default()
    }
}

/// Makes the response of an answer. A response to HEAD has the length of the body, too; the server omits the body.
pub(crate) fn respond(answer: Answer, context: &RequestContext) -> Response<WasiBody> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        let Ok(value) = HeaderValue::try_from(value) else {
            tracing::error!(request = %context.id, "the router's value of `{name}` is not valid in a header");
            return respond(Answer::internal_error(&context.id.to_string()), context);
        };
        response
            .headers_mut()
            .append(HeaderName::from_static(name), value);
    }
    if response.status() != StatusCode::NO_CONTENT {
        let length = answer.body.len().into();
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    if !answer.body.is_empty() {
        *response.body_mut() = body::full(answer.body);
    }
    response
}
