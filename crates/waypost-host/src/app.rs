//! The app while it runs: its components, and how one of them answers a request.

pub(crate) mod build;
pub(crate) mod cache;
pub(crate) mod component;
mod dispatch;
pub(crate) mod file_stamp;
pub(crate) mod native_router;

use crate::app::component::LazyComponent;
use crate::compat::HostProfile;
use crate::instance::config::Runtime;
use crate::instance::pool::InstancePool;
use crate::instance::reply::Reply;
use crate::observe::metrics::Metrics;
use crate::request::admission::{Admission, Full, Place};
use crate::request::body::{LargeBody, limited};
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, bare};
use crate::request::head::announced_length;
use crate::wasi::key_value::Stores;
use cache::ResponseCache;
use cache::door::Target;
use http::{Request, Response, StatusCode};
use native_router::Routing;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime_wasi_http::WasiBody;
use waypost_config::settings::RouteLimits;
use waypost_config::{ComponentId, Manifest, Settings};

/// The components of an app, and what holds for all of them.
pub(crate) struct App {
    pub(crate) manifest: Manifest,
    pub(crate) settings: Settings,
    /// The limits that hold before the route of a request is known.
    pub(crate) widest: RouteLimits,
    /// Whether clients see the cause of a failure.
    pub(crate) development: bool,
    pub(crate) profile: HostProfile,
    pub(crate) admission: Admission,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) stores: Stores,
    pub(crate) components: BTreeMap<ComponentId, Arc<LazyComponent>>,
    /// The response cache, unless the host has none in this profile.
    pub(crate) cache: Option<Arc<ResponseCache>>,
    /// The router that the host runs in place of a component, if any.
    pub(crate) routing: Option<Routing>,
}

impl App {
    /// Returns the component whose route in the manifest fits a path as it was sent. Private components have no route.
    pub(crate) fn route(&self, path: &str) -> Option<&Arc<LazyComponent>> {
        let trigger = self.manifest.trigger_for(path)?;
        self.components.get(&trigger.component)
    }

    /// Returns the components that are loaded when they are asked: all but a router that the host runs itself.
    pub(crate) fn loaded_components(&self) -> impl Iterator<Item = &Arc<LazyComponent>> {
        let components = self.components.values();
        components.filter(|component| self.routing_for(component).is_none())
    }

    /// Makes the next request check the files of all components, and the route table, for changes.
    pub(crate) fn look_again(&self) {
        for component in self.components.values() {
            component.look_again();
        }
        if let Some(routing) = &self.routing {
            routing.look_again();
        }
    }

    fn routing_for(&self, component: &LazyComponent) -> Option<&Routing> {
        let routing = self.routing.as_ref();
        routing.filter(|routing| routing.replaces(component.id()))
    }

    /// Answers a request for a public component; returns the component that answered, which is the handler where the host
    /// runs the router itself. If a client's `target` leads to a stored response, that is noted.
    pub(crate) async fn enter<'a>(
        self: &'a Arc<Self>,
        component: &'a Arc<LazyComponent>,
        request: Request<WasiBody>,
        context: RequestContext,
        target: Option<Target>,
    ) -> (Reply, &'a Arc<LazyComponent>) {
        let note = |reply: &mut Reply, routed| {
            let found = reply.response.extensions_mut().remove();
            if let (Some(cache), Some(target), Some(found)) = (&self.cache, target, found) {
                cache.door.note(target, found, routed);
            }
        };
        let Some(routing) = self.routing_for(component) else {
            let mut reply = cache::answer(self, component, request, context).await;
            note(&mut reply, None);
            return (reply, component);
        };
        let (reply, answered_by) = match routing.dispatch(request, &context) {
            Ok(dispatched) => {
                let (handler, request) = (dispatched.component, dispatched.request);
                let mut reply = cache::answer(self, handler, request, context).await;
                note(&mut reply, Some((dispatched.router, Arc::clone(component))));
                (reply, handler)
            }
            Err(answer) => (native_router::respond(answer, &context).into(), component),
        };
        // The router's component would have passed the response on.
        component.responses.count(reply.response.status());
        (reply, answered_by)
    }

    /// Answers a request with a component. A failure becomes the response that its client gets.
    ///
    /// Dropping the future, or the body of the response, gives the request up: see [`crate::instance::lifecycle`].
    pub(crate) async fn call(
        &self,
        component: &Arc<LazyComponent>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> Reply {
        self.call_version(component, None, request, context).await
    }

    /// Answers a request like [`App::call`] with a version of the component, or with the one that serves now.
    pub(crate) async fn call_version(
        &self,
        component: &Arc<LazyComponent>,
        version: Option<Arc<InstancePool>>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> Reply {
        let cache = self.cache.as_deref();
        let reply = match answer(cache, component, version, request, context.clone()).await {
            Ok(reply) => reply,
            Err(failure) => self.fail(component, &failure, &context).into(),
        };
        component.responses.count(reply.response.status());
        reply
    }

    /// Logs and counts a failure, and makes the response to it.
    pub(crate) fn fail(
        &self,
        component: &LazyComponent,
        failure: &Failure,
        context: &RequestContext,
    ) -> Response<WasiBody> {
        component.report(failure, context);
        match self.profile {
            HostProfile::Waypost => failure.response(context, self.development),
            // The same for every reason (`internal_error` in `crates/trigger-http/src/server.rs` of Spin).
            HostProfile::Spin => bare(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

async fn answer(
    cache: Option<&ResponseCache>,
    component: &Arc<LazyComponent>,
    version: Option<Arc<InstancePool>>,
    request: Request<WasiBody>,
    context: RequestContext,
) -> Result<Reply, Failure> {
    let inner = context.inner().map_or(Ok(None), Admission::enter);
    let inner = inner.map_err(|Full(limit)| Failure::TreeBusy(limit))?;
    let route = component.admission.enter();
    let route = route.map_err(|Full(limit)| Failure::RouteBusy(limit))?;
    let place = Place::new(route, inner);
    let limits = &component.config.limits;
    context.head.check(limits)?;
    let (request, too_large) = limit_body(request, limits.request_body)?;
    let pool = match version {
        Some(pool) => pool,
        None => {
            component
                .version_now()
                .await
                .map_err(|error| Failure::NotLoaded(error))?
                .pool
        }
    };
    let id = context.id;
    let client_left = Arc::clone(&context.client_left);
    let client_fault = context.client_fault.clone();
    let mut answered = pool.call(request, context, place.clone()).await;
    if let (Some(cache), Ok(answered)) = (cache, &mut answered) {
        // Also if the client gets another response, as below: the handler has changed its data.
        cache.revalidate(answered.headers_mut(), component, id);
    }
    if let Err(Failure::Overdue(limit)) = answered {
        return Err(Failure::Overdue(limit));
    }
    if let Some(limit) = limits.request_body
        && too_large.is_some_and(|fault| fault.is_raised())
    {
        // The component may have made anything of the error that it saw.
        return Err(Failure::LargeBody(limit));
    }
    if let Some(error) = client_fault.and_then(|fault| fault.get()) {
        return Err(Failure::ClientBody(error));
    }
    Ok(answered?.accept(place, client_left))
}

/// Limits the body of a request; returns the flag that is raised when the body exceeds the limit.
fn limit_body(
    request: Request<WasiBody>,
    limit: Option<u64>,
) -> Result<(Request<WasiBody>, Option<LargeBody>), Failure> {
    let Some(limit) = limit else {
        return Ok((request, None));
    };
    if announced_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Failure::LargeBody(limit));
    }
    let (parts, body) = request.into_parts();
    let (body, too_large) = limited(body, limit);
    Ok((Request::from_parts(parts, body), Some(too_large)))
}
