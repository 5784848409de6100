//! The app while it runs: its components, and how a request gets an answer from one of them.

use crate::admission::Admission;
use crate::body::{AnswerBody, BodyFault, LimitedBody};
use crate::component::LazyComponent;
use crate::context::RequestContext;
use crate::exchange::exchange;
use crate::failure::Failure;
use crate::manifest::{ComponentId, Manifest};
use crate::manner::Manner;
use crate::metrics::Metrics;
use crate::request::announced_length;
use crate::settings::Settings;
use crate::spin;
use http::{Request, Response};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime_wasi_http::WasiBody;

/// Components and what holds for all of them.
pub(crate) struct App {
    pub(crate) manifest: Manifest,
    pub(crate) settings: Settings,
    /// Whether a client reads the cause of a failure.
    pub(crate) development: bool,
    pub(crate) manner: Manner,
    pub(crate) admission: Admission,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) components: BTreeMap<ComponentId, Arc<LazyComponent>>,
}

impl App {
    /// The component whose trigger route fits a path as sent; private ones never do.
    pub(crate) fn route(&self, path: &str) -> Option<&Arc<LazyComponent>> {
        let trigger = self.manifest.trigger_for(path)?;
        self.components.get(&trigger.component)
    }

    /// Has a component answer a request. A failure becomes the response that its client gets.
    ///
    /// Dropping the future, or the body of the response, gives the request up: see [`exchange`].
    pub(crate) async fn call(
        &self,
        component: &Arc<LazyComponent>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> Response<WasiBody> {
        let response = match answer(component, request, context.clone()).await {
            Ok(response) => response,
            Err(failure) => {
                failure.log(&component.grants, &context);
                match self.manner {
                    Manner::Waypost => failure.response(&context, self.development),
                    Manner::Spin => spin::internal_error(),
                }
            }
        };
        component.grants.answers.count(response.status());
        response
    }
}

async fn answer(
    component: &Arc<LazyComponent>,
    request: Request<WasiBody>,
    context: RequestContext,
) -> Result<Response<WasiBody>, Failure> {
    let permit = component
        .admission
        .enter()
        .map_err(|_| Failure::RouteBusy)?;
    let limits = &component.grants.limits;
    let too_large = BodyFault::default();
    let request = limited(request, limits.request_body, &too_large)?;
    let handler = component.handler().await?;
    let (ticket, caller) = exchange(context);
    let answer = tokio::time::timeout(limits.max_duration, handler.handle(ticket, request));
    let answer = answer.await.map_err(|_| Failure::Overdue)?;
    if too_large.is_raised() {
        // Whatever the component made of the error that it saw.
        return Err(Failure::LargeBody);
    }
    let response = answer?;
    caller.answered();
    Ok(response.map(|body| AnswerBody::new(body, caller, permit).boxed_unsync()))
}

fn limited(
    request: Request<WasiBody>,
    limit: Option<u64>,
    too_large: &BodyFault,
) -> Result<Request<WasiBody>, Failure> {
    let Some(limit) = limit else {
        return Ok(request);
    };
    if announced_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Failure::LargeBody);
    }
    let bounded = |body| LimitedBody::new(body, limit, too_large.clone()).boxed_unsync();
    Ok(request.map(bounded))
}
