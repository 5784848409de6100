//! One request in an instance, from the call to the end of all that the guest does for it.
//!
//! Limits of time are enforced twice, as each place sees what the other cannot: the caller stops waiting
//! ([`InstancePool::call`]) and ends the instance, and the instance ends here, outside its event loop, which a guest that
//! never pauses cannot prevent.

use super::cpu::CpuMeter;
use super::lifecycle::{EndReason, Lifecycle};
use super::over_bound::OverBound;
use super::pool::{Instance, InstancePool};
use super::state::InstanceState;
use crate::compat::HostProfile;
use crate::observe::labels::Labels;
use crate::observe::metrics::{Bound, Metrics};
use crate::request::admission::Place;
use crate::request::context::RequestContext;
use crate::request::failure::summary;
use futures::channel::oneshot;
use http::{Request, Response};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut, Store};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{Prepared, Proxy};

/// How long a guest may work on after its response is complete.
const AFTER_RESPONSE: Duration = Duration::from_secs(30);

/// A request for an instance.
pub(crate) struct Job {
    pub(crate) request: Request<WasiBody>,
    pub(crate) context: RequestContext,
    /// Takes the response.
    pub(crate) respond: oneshot::Sender<wasmtime::Result<Response<WasiBody>>>,
    /// The request's place among those of its route.
    pub(crate) _place: Option<Arc<Place>>,
}

/// Lets an instance answer a request, and returns it to its pool when the guest has nothing left to do. Dropping the
/// future ends the instance.
pub(crate) async fn run(pool: Weak<InstancePool>, instance: Box<Instance>, job: Job) {
    let mut working = Working(Some(instance));
    let result = match &mut working.0 {
        Some(instance) => serve(instance, job).await,
        None => return,
    };
    match (result, working.0.take()) {
        (Ok(()), Some(mut instance)) => {
            instance.store.data_mut().request_ended();
            // Without a pool, a new version of the component has replaced this one.
            if let Some(pool) = pool.upgrade() {
                pool.give_back(instance);
            }
        }
        (Err(error), Some(instance)) => end(&instance, &error, instance.lifecycle.end_reason()),
        (_, None) => {}
    }
}

/// An instance at work. It ends when this is dropped before the work is done.
struct Working(Option<Box<Instance>>);

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(instance) = self.0.take() {
            let reason = instance.lifecycle.end_reason();
            let reason = reason.unwrap_or(EndReason::Abandoned);
            end(&instance, &not_done(), Some(reason));
        }
    }
}

/// Records and logs that an instance ends.
fn end(instance: &Instance, error: &wasmtime::Error, reason: Option<EndReason>) {
    // On Spin the response looks complete (`docs/upstream/wasmtime-wasi-http-body.md`).
    if instance.store.data().config.profile == HostProfile::Waypost {
        instance.lifecycle.fail();
    }
    report(&instance.store, &instance.metrics, error, reason);
}

fn not_done() -> wasmtime::Error {
    wasmtime::format_err!("the guest was not done in time")
}

async fn serve(instance: &mut Instance, job: Job) -> wasmtime::Result<()> {
    let Job {
        request,
        context,
        respond,
        _place,
    } = job;
    instance.left -= 1;
    instance.meter.reset();
    let (proxy, view) = (&instance.proxy, instance.view);
    let entry = match proxy {
        Proxy::P2(guest) => *guest.wasi_http_incoming_handler().func_handle().func(),
        Proxy::P3(guest) => *guest.wasi_http_handler().func_handle().func(),
    };
    let lifecycle = &*instance.lifecycle;
    let permissions = &instance.store.data().config.permissions;
    let reads_files = !permissions.files.is_empty();
    let store = &mut instance.store;
    // Otherwise the time since its last request would count as CPU time.
    store.set_epoch_deadline(1);
    store.data().current.set(context);
    let work = async |accessor: &Accessor<InstanceState>| {
        let prepared = accessor.with(|mut store| {
            Prepared::new(store.as_context_mut(), proxy, request, view, respond)
        })?;
        // The caller has the limit of time. The future is boxed, as the one that holds it is moved a few times.
        Box::pin(prepared.run(accessor, pending())).await?;
        poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
        if reads_files {
            // The body may be a file, which only the running store sends.
            poll_fn(|_| match lifecycle.is_wanted() {
                true => Poll::Pending,
                false => Poll::Ready(()),
            })
            .await;
        }
        let is_ready = poll_fn(|cx| {
            Poll::Ready(
                accessor
                    .poll_ready_for_concurrent_call(entry, cx)
                    .is_ready(),
            )
        });
        wasmtime::error::Ok(is_ready.await)
    };
    let work = pin!(store.run_concurrent(work));
    let watched = Watched {
        work,
        lifecycle,
        meter: &instance.meter,
        limit: AFTER_RESPONSE,
        after_response: None,
    };
    let result = watched.await;
    instance.meter.reset();
    if !result?? {
        // A guest that accepts no calls would block the next one.
        instance.left = 0;
    }
    Ok(())
}

/// The work of an instance. It fails when the instance must end, or works for too long after its response.
struct Watched<'i, W> {
    work: Pin<&'i mut W>,
    lifecycle: &'i Lifecycle,
    meter: &'i CpuMeter,
    limit: Duration,
    after_response: Option<Pin<Box<Sleep>>>,
}

impl<T, W: Future<Output = wasmtime::Result<T>>> Future for Watched<'_, W> {
    type Output = wasmtime::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.lifecycle.register(cx.waker());
        // An instance that must end gets no more time.
        if self.lifecycle.end_reason().is_some() {
            return Poll::Ready(Err(not_done()));
        }
        if let Poll::Ready(result) = self.work.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        self.meter.control_returned();
        if self.lifecycle.is_wanted() {
            self.after_response = None;
            return Poll::Pending;
        }
        let limit = self.limit;
        let sleep = || Box::pin(tokio::time::sleep(limit));
        if self.after_response.is_none() {
            // The work may have waited for the end of the response.
            cx.waker().wake_by_ref();
        }
        let after_response = self.after_response.get_or_insert_with(sleep);
        after_response.as_mut().poll(cx).map(|()| Err(not_done()))
    }
}

fn report(
    store: &Store<InstanceState>,
    metrics: &Metrics,
    error: &wasmtime::Error,
    reason: Option<EndReason>,
) {
    let state = store.data();
    let Labels { route, component } = &*state.config.labels;
    let request = state.current.get().id;
    match reason {
        Some(EndReason::Abandoned) => {
            tracing::debug!(route, %component, %request, "client left before the response; instance dropped");
        }
        Some(EndReason::Shutdown) => {
            tracing::debug!(route, %component, %request, "instance dropped as the host stops");
        }
        Some(EndReason::Overdue) => {
            tracing::warn!(route, %component, %request, "no response in time; instance dropped");
        }
        None => {
            let over = OverBound::of(error, &state.memory, &state.config.limits);
            let bound = over.as_ref().map(|over| over.bound);
            // A response that counts the total follows.
            bound
                .filter(|bound| *bound != Bound::TotalMemory)
                .inspect(|bound| metrics.over(*bound));
            let (bound, remark) = (bound.map(Bound::name), over.and_then(|over| over.remark));
            let cause = summary(error);
            tracing::error!(route, %component, %request, cause, bound, remark, "instance failed");
            tracing::debug!(route, %component, %request, "{error:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::epoch::Turns;
    use futures::poll;
    use std::time::Instant;

    const LIMIT: Duration = Duration::from_millis(50);

    fn watch<'i>(
        work: Pin<&'i mut std::future::Pending<wasmtime::Result<()>>>,
        lifecycle: &'i Lifecycle,
        meter: &'i CpuMeter,
    ) -> Watched<'i, std::future::Pending<wasmtime::Result<()>>> {
        Watched {
            work,
            lifecycle,
            meter,
            limit: LIMIT,
            after_response: None,
        }
    }

    #[tokio::test]
    async fn a_guest_works_on_for_a_while_after_its_response() {
        let lifecycle = Arc::new(Lifecycle::default());
        let meter = CpuMeter::new(LIMIT, Turns::new());
        let mut work = pin!(pending());
        let mut watched = watch(work.as_mut(), &lifecycle, &meter);
        let mut call = lifecycle.begin();
        call.answered();
        assert!(poll!(&mut watched).is_pending());
        tokio::time::sleep(LIMIT * 2).await;
        assert!(poll!(&mut watched).is_pending(), "a stream takes its time");
        drop(call);
        let ended = Instant::now();
        assert!(watched.await.is_err());
        assert!(ended.elapsed() >= LIMIT);
    }

    #[tokio::test]
    async fn an_instance_that_must_end_does_so_at_once() {
        let lifecycle = Arc::new(Lifecycle::default());
        let meter = CpuMeter::new(LIMIT, Turns::new());
        let _call = lifecycle.begin();
        let mut work = pin!(pending());
        let mut watched = watch(work.as_mut(), &lifecycle, &meter);
        assert!(poll!(&mut watched).is_pending());
        lifecycle.end(EndReason::Shutdown);
        assert!(poll!(&mut watched).is_ready());
    }

    #[tokio::test]
    async fn a_guest_does_not_start_for_a_caller_that_left() {
        let lifecycle = Arc::new(Lifecycle::default());
        let meter = CpuMeter::new(LIMIT, Turns::new());
        drop(lifecycle.begin());
        let mut work = pin!(pending());
        assert!(poll!(watch(work.as_mut(), &lifecycle, &meter)).is_ready());
    }
}
