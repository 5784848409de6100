//! One request in an instance, from the call to the end of all that the guest does for it.
//!
//! Limits of time are enforced twice, as each place sees what the other cannot: the caller waits no longer
//! ([`App::call`](crate::app::App::call)) and condemns the instance, and the instance ends here, outside its event
//! loop, which a guest that never pauses cannot prevent.

use crate::activity::{Activity, Doom};
use crate::cpu::CpuMeter;
use crate::exchange::Ticket;
use crate::failure;
use crate::instance::InstanceState;
use crate::instances::{Instance, Instances};
use crate::metrics::Bound;
use futures::channel::oneshot;
use http::{Request, Response};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Weak;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut, Store};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{Prepared, Proxy};

/// How long a guest may work on after its response is complete, for what it does afterwards.
const AFTERMATH: Duration = Duration::from_secs(30);

/// Where the response goes.
type Respond = oneshot::Sender<wasmtime::Result<Response<WasiBody>>>;

/// Has an instance answer a request, and gives it back when the guest has nothing left to do. Dropping the future
/// ends the instance.
pub(crate) async fn run(
    home: Weak<Instances>,
    instance: Box<Instance>,
    ticket: Ticket,
    request: Request<WasiBody>,
    respond: Respond,
) {
    let mut working = Working(Some(instance));
    let result = match &mut working.0 {
        Some(instance) => serve(instance, ticket, request, respond).await,
        None => return,
    };
    match (result, working.0.take()) {
        (Ok(()), Some(instance)) => {
            // Where there is a new version of the component, nobody asks this one again.
            if let Some(home) = home.upgrade() {
                home.give_back(instance);
            }
        }
        (Err(error), Some(instance)) => end(&instance, &error, instance.activity.doom()),
        (_, None) => {}
    }
}

/// An instance at work. If nobody waits for the work any more, it ends.
struct Working(Option<Box<Instance>>);

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(instance) = self.0.take() {
            let doom = instance.activity.doom().unwrap_or(Doom::Abandoned);
            end(&instance, &over(), Some(doom));
        }
    }
}

/// Tells what is to be told of an instance that ends.
fn end(instance: &Instance, error: &wasmtime::Error, doom: Option<Doom>) {
    instance.activity.fail();
    report(&instance.store, error, doom);
}

fn over() -> wasmtime::Error {
    wasmtime::format_err!("the guest was not done in time")
}

async fn serve(
    instance: &mut Instance,
    ticket: Ticket,
    request: Request<WasiBody>,
    respond: Respond,
) -> wasmtime::Result<()> {
    instance.left -= 1;
    instance.meter.rest();
    let (proxy, view) = (&instance.proxy, instance.view);
    let entry = match proxy {
        Proxy::P2(guest) => *guest.wasi_http_incoming_handler().func_handle().func(),
        Proxy::P3(guest) => *guest.wasi_http_handler().func_handle().func(),
    };
    let activity = &*instance.activity;
    let reads_files = !instance.store.data().grants.files.is_empty();
    let store = &mut instance.store;
    // Else the time since its last request would count as one that it has used up.
    store.set_epoch_deadline(1);
    store.data().current.set(ticket.context.clone());
    ticket.start(&instance.activity);
    let work = async |accessor: &Accessor<InstanceState>| {
        let prepared = accessor.with(|mut store| {
            Prepared::new(store.as_context_mut(), proxy, request, view, respond)
        })?;
        // The caller has the limit of time.
        // On the heap, as what holds this future is moved a few times before it runs.
        Box::pin(prepared.run(accessor, pending())).await?;
        poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
        if reads_files {
            // The body may be a file, which nobody but the store passes on.
            poll_fn(|_| match activity.open() {
                0 => Poll::Ready(()),
                _ => Poll::Pending,
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
        activity,
        meter: &instance.meter,
        limit: AFTERMATH,
        aftermath: None,
    };
    let result = watched.await;
    instance.meter.rest();
    if !result?? {
        // A guest that takes no calls would keep the next one waiting.
        instance.left = 0;
    }
    Ok(())
}

/// The work of an instance, until it is condemned or takes too long after its response.
struct Watched<'i, W> {
    work: Pin<&'i mut W>,
    activity: &'i Activity,
    meter: &'i CpuMeter,
    limit: Duration,
    aftermath: Option<Pin<Box<Sleep>>>,
}

impl<T, W: Future<Output = wasmtime::Result<T>>> Future for Watched<'_, W> {
    type Output = wasmtime::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.activity.register(cx.waker());
        // One that is to end gets no more time.
        if self.activity.doom().is_some() {
            return Poll::Ready(Err(over()));
        }
        if let Poll::Ready(result) = self.work.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        self.meter.control_returned();
        if self.activity.open() > 0 {
            self.aftermath = None;
            return Poll::Pending;
        }
        let limit = self.limit;
        let sleep = || Box::pin(tokio::time::sleep(limit));
        if self.aftermath.is_none() {
            // The work may have waited for just that.
            cx.waker().wake_by_ref();
        }
        let aftermath = self.aftermath.get_or_insert_with(sleep);
        aftermath.as_mut().poll(cx).map(|()| Err(over()))
    }
}

fn report(store: &Store<InstanceState>, error: &wasmtime::Error, doom: Option<Doom>) {
    let state = store.data();
    let (route, component) = (state.grants.name.as_str(), &state.grants.id);
    let request = state.current.get().id;
    match doom {
        Some(Doom::Abandoned) => {
            tracing::debug!(route, %component, %request, "client left before the response; instance dropped");
        }
        Some(Doom::Shutdown) => {
            tracing::debug!(route, %component, %request, "instance dropped as the host stops");
        }
        Some(Doom::Overdue) => {
            tracing::warn!(route, %component, %request, "no response in time; instance dropped");
        }
        None => {
            let remark = state.memory.remark();
            if remark.is_some() {
                state.grants.metrics.over(Bound::Memory);
            }
            let cause = failure::summary(error);
            tracing::error!(route, %component, %request, cause, remark, "instance failed");
            tracing::debug!(route, %component, %request, "{error:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::RequestContext;
    use crate::cpu::Turns;
    use crate::exchange::exchange;
    use futures::poll;
    use std::sync::Arc;
    use std::time::Instant;

    const LIMIT: Duration = Duration::from_millis(50);

    fn watch<'i>(
        work: Pin<&'i mut std::future::Pending<wasmtime::Result<()>>>,
        activity: &'i Activity,
        meter: &'i CpuMeter,
    ) -> Watched<'i, std::future::Pending<wasmtime::Result<()>>> {
        Watched {
            work,
            activity,
            meter,
            limit: LIMIT,
            aftermath: None,
        }
    }

    #[tokio::test]
    async fn a_guest_works_on_for_a_while_after_its_response() {
        let activity = Arc::new(Activity::default());
        let meter = CpuMeter::new(LIMIT, Turns::new());
        let mut work = pin!(pending());
        let mut watched = watch(work.as_mut(), &activity, &meter);
        let (ticket, caller) = exchange(RequestContext::from_client(), None);
        ticket.start(&activity);
        caller.answered();
        assert!(poll!(&mut watched).is_pending());
        tokio::time::sleep(LIMIT * 2).await;
        assert!(poll!(&mut watched).is_pending(), "a stream takes its time");
        drop(caller);
        let ended = Instant::now();
        assert!(watched.await.is_err());
        assert!(ended.elapsed() >= LIMIT);
    }

    #[tokio::test]
    async fn a_condemned_instance_ends_at_once() {
        let activity = Activity::default();
        let meter = CpuMeter::new(LIMIT, Turns::new());
        activity.begin();
        let mut work = pin!(pending());
        let mut watched = watch(work.as_mut(), &activity, &meter);
        assert!(poll!(&mut watched).is_pending());
        activity.condemn(Doom::Shutdown);
        assert!(poll!(&mut watched).is_ready());
    }
}
