//! The app while it runs: its components, and how a request gets an answer from one of them.

use crate::admission::Admission;
use crate::body::{AnswerBody, BodyFault, LimitedBody};
use crate::component::LazyComponent;
use crate::context::RequestContext;
use crate::exchange::exchange;
use crate::failure::Failure;
use crate::manner::Manner;
use crate::metrics::Metrics;
use crate::native_router::{self, Routing};
use crate::request::announced_length;
use crate::rest::Rest;
use crate::spin;
use http::{Request, Response};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::WasiBody;
use waypost_config::settings::RouteLimits;
use waypost_config::{ComponentId, Manifest, Settings};

/// What becomes of a request.
pub(crate) struct Reply {
    pub(crate) response: Response<WasiBody>,
    /// What the instance still does: send the body, for one. Where it works in a task of its own, or did nothing for
    /// the response, there is none.
    pub(crate) rest: Option<Rest>,
}

impl From<Response<WasiBody>> for Reply {
    fn from(response: Response<WasiBody>) -> Self {
        Self {
            response,
            rest: None,
        }
    }
}

/// Components and what holds for all of them.
pub(crate) struct App {
    pub(crate) manifest: Manifest,
    pub(crate) settings: Settings,
    /// What holds before the route is known.
    pub(crate) widest: RouteLimits,
    /// Whether a client reads the cause of a failure.
    pub(crate) development: bool,
    pub(crate) manner: Manner,
    pub(crate) admission: Admission,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) components: BTreeMap<ComponentId, Arc<LazyComponent>>,
    /// The host's own router, if it stands for the app's.
    pub(crate) routing: Option<Routing>,
}

impl App {
    /// The component whose trigger route fits a path as sent; private ones never do.
    pub(crate) fn route(&self, path: &str) -> Option<&Arc<LazyComponent>> {
        let trigger = self.manifest.trigger_for(path)?;
        self.components.get(&trigger.component)
    }

    /// The components that answer requests: all but a router that the host stands for.
    pub(crate) fn loaded_components(&self) -> impl Iterator<Item = &Arc<LazyComponent>> {
        let components = self.components.values();
        components.filter(|component| self.routing_for(component).is_none())
    }

    /// Lets go of the instances that have waited for a request for so long.
    pub(crate) fn retire_idle(&self, waited: Duration) {
        for component in self.components.values() {
            component.retire_idle(waited);
        }
    }

    /// Has the files of all components, and the table of routes, looked at by the next request.
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
        routing.filter(|routing| routing.stands_for(&component.grants.id))
    }

    /// Has a component with a public address answer a request; gives the component that did. Where the host
    /// stands for the router that is the handler.
    pub(crate) async fn enter<'a>(
        &'a self,
        component: &'a Arc<LazyComponent>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> (Reply, &'a Arc<LazyComponent>) {
        let Some(routing) = self.routing_for(component) else {
            return (self.call(component, request, context).await, component);
        };
        let (reply, by) = match routing.dispatch(request, &context) {
            Ok((handler, request)) => (self.call(handler, request, context).await, handler),
            Err(answer) => (native_router::respond(answer, &context).into(), component),
        };
        // As it would be if the component had passed it on.
        component.grants.answers.count(reply.response.status());
        (reply, by)
    }

    /// Has a component answer a request. A failure becomes the response that its client gets.
    ///
    /// Dropping the future, or the body of the response, gives the request up: see [`exchange`].
    pub(crate) async fn call(
        &self,
        component: &Arc<LazyComponent>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> Reply {
        let reply = match answer(component, request, context.clone()).await {
            Ok(reply) => reply,
            Err(failure) => {
                failure.log(&component.grants, &context);
                let response = match self.manner {
                    Manner::Waypost => failure.response(&context, self.development),
                    Manner::Spin => spin::internal_error(),
                };
                response.into()
            }
        };
        component.grants.answers.count(reply.response.status());
        reply
    }
}

async fn answer(
    component: &Arc<LazyComponent>,
    request: Request<WasiBody>,
    context: RequestContext,
) -> Result<Reply, Failure> {
    let permit = component
        .admission
        .enter()
        .map_err(|_| Failure::RouteBusy)?
        .map(Arc::new);
    let limits = &component.grants.limits;
    context.head.check(limits)?;
    let (request, too_large) = limited(request, limits.request_body)?;
    let instances = component.instances_now().await?;
    let left = Arc::clone(&context.left);
    let (ticket, caller) = exchange(context, permit.clone());
    let mut answer = pin!(instances.handle(ticket, request));
    let Ok(answer) = tokio::time::timeout(limits.max_duration, answer.as_mut()).await else {
        caller.overdue();
        return Err(Failure::Overdue);
    };
    if too_large.is_some_and(|fault| fault.is_raised()) {
        // Whatever the component made of the error that it saw.
        return Err(Failure::LargeBody);
    }
    let Reply { response, rest } = answer?;
    caller.answered();
    let response = response.map(|body| AnswerBody::new(body, caller, permit, left).boxed_unsync());
    Ok(Reply { response, rest })
}

/// Bounds a request's body, and gives the flag that it raises when it is larger.
fn limited(
    request: Request<WasiBody>,
    limit: Option<u64>,
) -> Result<(Request<WasiBody>, Option<BodyFault>), Failure> {
    let Some(limit) = limit else {
        return Ok((request, None));
    };
    if announced_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Failure::LargeBody);
    }
    let too_large = BodyFault::default();
    let bounded = |body| LimitedBody::new(body, limit, too_large.clone()).boxed_unsync();
    Ok((request.map(bounded), Some(too_large)))
}
