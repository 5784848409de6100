//! When an instance takes a request, and when it ends: the policies of `ProxyHandler`.
//!
//! Time limits are enforced three times, as each place sees what the others cannot: the caller waits no
//! longer ([`App::call`](crate::app::App::call)), the request expires inside the instance
//! ([`WorkerState::on_request_start`]), and the instance itself ends from outside its event loop
//! ([`WorkerExpiration`]), which a guest that never yields cannot prevent.

use crate::activity::{Activity, Doom};
use crate::cpu::CpuMeter;
use crate::exchange::Ticket;
use crate::failure;
use crate::instance::InstanceState;
use crate::metrics::Bound;
use crate::registry::Registration;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus};

/// Requests that one instance serves at the same time.
///
/// One, for isolation: a trap ends the instance, and must not take another client's request with it.
/// A pool makes further instances cheap, so nothing waits for it.
pub(crate) const CONCURRENCY: usize = 1;

/// Requests after which an instance of WASI 0.3 is replaced, as `wasmtime serve` does: what a guest leaks stays
/// bounded.
pub(crate) const REUSE_0_3: usize = 128;

/// Requests that an instance of WASI 0.2 gets. No other host gives it a second one, and components that were
/// made for those hosts rely on that: JavaScript with a `fetch` listener (StarlingMonkey) fails there.
pub(crate) const REUSE_0_2: usize = 1;

/// How long an instance without work is kept: long enough for the pauses of ordinary traffic, short
/// enough that a quiet app gives its memory back.
const IDLE: Duration = Duration::from_secs(10);

/// How long a guest may work on after its response is complete, for what it does afterwards.
const AFTERMATH: Duration = Duration::from_secs(30);

/// How much later than the request's own limit the instance is ended from outside.
const MARGIN: Duration = Duration::from_secs(1);

/// Decides for one instance which requests it takes.
pub(crate) struct Worker {
    pub(crate) activity: Arc<Activity>,
    pub(crate) max_duration: Duration,
    /// Requests that the instance serves at the same time.
    pub(crate) concurrency: usize,
    pub(crate) registration: Registration,
    /// Requests that the instance gets in its life.
    pub(crate) reuse: usize,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
    type RequestData = Ticket;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse || self.activity.doom().is_some() {
            ShouldAccept::Never
        } else if concurrent.max(self.activity.open()) >= self.concurrency {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        store: StoreContextMut<'_, InstanceState>,
        ticket: Ticket,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        store.data().current.set(ticket.context.clone());
        ticket.start(&self.activity);
        let activity = Arc::clone(&self.activity);
        let limit = self.max_duration;
        Box::pin(async move {
            tokio::time::sleep(limit).await;
            if ticket.is_answered() {
                // A WASI 0.2 guest runs until its stream is written: only the first byte had a limit.
                std::future::pending::<()>().await;
            }
            activity.condemn(Doom::Overdue);
        })
    }

    fn drop(&self, store: Store<InstanceState>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            self.activity.fail();
            report(&store, &error, self.activity.doom());
        }
        // What the guest printed last leaves with its store, before the registration says that it is gone.
        drop(store);
        self.registration.end();
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

/// Decides for one instance when it ends, from outside its event loop.
pub(crate) struct Expiration {
    activity: Arc<Activity>,
    meter: Arc<CpuMeter>,
    max_duration: Duration,
    quiet_since: Option<Instant>,
    armed_for: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Expiration {
    /// Watches over the instance that `activity` belongs to.
    pub(crate) fn new(
        activity: Arc<Activity>,
        meter: Arc<CpuMeter>,
        max_duration: Duration,
    ) -> Self {
        let armed_for = Instant::now() + IDLE;
        Self {
            activity,
            meter,
            max_duration,
            quiet_since: None,
            armed_for,
            sleep: Box::pin(tokio::time::sleep_until(armed_for.into())),
        }
    }

    /// The moment at which an instance in this state has to end, if there is one.
    fn deadline(&mut self, status: WorkerStatus, start: Instant) -> Option<Instant> {
        let quiet = self.activity.open() == 0;
        if !quiet {
            self.quiet_since = None;
        }
        match status {
            WorkerStatus::Idle => Some(start + IDLE),
            WorkerStatus::Requests if self.activity.is_waiting() => {
                Some(start + self.max_duration + MARGIN)
            }
            WorkerStatus::Requests | WorkerStatus::PostReturn => {
                quiet.then(|| *self.quiet_since.get_or_insert_with(Instant::now) + AFTERMATH)
            }
        }
    }

    /// Polls the timer for `deadline`. A timer set too early is left alone until it fires: a busy
    /// instance moves its deadline with every request, and resetting a timer each time is dear.
    fn poll_deadline(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline < self.armed_for {
            self.arm(deadline);
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            self.arm(deadline);
        }
        Poll::Pending
    }

    fn arm(&mut self, deadline: Instant) {
        self.armed_for = deadline;
        self.sleep.as_mut().reset(deadline.into());
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        self.activity.register(cx.waker());
        self.meter.control_returned();
        if self.activity.doom().is_some() {
            return Poll::Ready(());
        }
        if status == WorkerStatus::Idle && self.activity.settle() {
            // The worker asks again whether it may take a request.
            cx.waker().wake_by_ref();
        }
        match self.deadline(status, start) {
            Some(deadline) => self.poll_deadline(deadline, cx),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::RequestContext;
    use crate::cpu::Turns;
    use crate::exchange::exchange;

    const LIMIT: Duration = Duration::from_secs(3);

    fn expiration(activity: &Arc<Activity>) -> Expiration {
        let meter = Arc::new(CpuMeter::new(LIMIT, Turns::new()));
        Expiration::new(Arc::clone(activity), meter, LIMIT)
    }

    #[tokio::test]
    async fn deadlines_follow_the_state_of_the_instance() {
        let activity = Arc::new(Activity::default());
        let mut expiration = expiration(&activity);
        let start = Instant::now();
        assert_eq!(
            expiration.deadline(WorkerStatus::Idle, start),
            Some(start + IDLE)
        );

        let (ticket, caller) = exchange(RequestContext::from_client());
        ticket.start(&activity);
        let waiting = expiration.deadline(WorkerStatus::Requests, start);
        assert_eq!(waiting, Some(start + LIMIT + MARGIN));

        caller.answered();
        for status in [WorkerStatus::Requests, WorkerStatus::PostReturn] {
            assert_eq!(
                expiration.deadline(status, start),
                None,
                "a stream takes its time"
            );
        }

        drop(caller);
        let quiet = expiration.deadline(WorkerStatus::PostReturn, start);
        assert!(quiet.is_some_and(|quiet| quiet >= start + AFTERMATH));
        assert_eq!(expiration.deadline(WorkerStatus::PostReturn, start), quiet);
    }

    #[tokio::test]
    async fn a_condemned_instance_ends_at_once() {
        let activity = Arc::new(Activity::default());
        let mut expiration = Box::pin(expiration(&activity));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let start = Instant::now();
        let alive = expiration
            .as_mut()
            .poll(&mut context, WorkerStatus::Idle, start);
        assert!(alive.is_pending());
        activity.condemn(Doom::Shutdown);
        let ended = expiration
            .as_mut()
            .poll(&mut context, WorkerStatus::Idle, start);
        assert!(ended.is_ready());
    }
}
