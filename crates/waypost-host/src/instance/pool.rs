//! The instances of one version of a component: those that wait for a request, and how they are made.

use super::config::{InstanceConfig, Runtime};
use super::cpu::CpuMeter;
use super::inline::InlineWork;
use super::lifecycle::Lifecycle;
use super::lifecycle::registry::Registration;
use super::reply::Answered;
use super::run::{Job, run};
use super::state::{InstanceState, View};
use crate::observe::metrics::Metrics;
use crate::request::admission::Place;
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, summary};
use futures::FutureExt;
use futures::channel::oneshot;
use http::{Request, Response};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use wasmtime::{PoolConcurrencyLimitError, Store};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{Proxy, ProxyPre};

/// Requests after which an instance of WASI 0.3 is replaced, as `wasmtime serve` does: so leaks of a guest stay bounded.
const REUSE_0_3: usize = 128;

/// Requests of an instance of WASI 0.2. No other host gives it a second one, and components that were made for those
/// hosts rely on that: JavaScript with a `fetch` listener (StarlingMonkey) fails there.
const REUSE_0_2: usize = 1;

/// How long an idle instance is kept: long enough for the pauses of ordinary traffic, short enough that a quiet app
/// returns its memory.
pub(crate) const IDLE: Duration = Duration::from_secs(10);

/// Serves requests with instances of one version of a component.
///
/// An instance takes one request at a time, so that a trap ends one. The one that was used last is taken first: its memory
/// is still in the processor's cache, and surplus instances of a burst stay idle and are dropped.
pub(crate) struct InstancePool {
    pre: ProxyPre<InstanceState>,
    config: Arc<InstanceConfig>,
    runtime: Arc<Runtime>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    instance: Box<Instance>,
    waiting: Waiting,
}

/// A component with its memory.
pub(crate) struct Instance {
    pub(crate) store: Store<InstanceState>,
    pub(crate) proxy: Proxy,
    pub(crate) view: View,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) meter: Arc<CpuMeter>,
    pub(crate) metrics: Arc<Metrics>,
    /// Requests that it may still take.
    pub(crate) left: usize,
    /// Ends after the store, which logs the last output of the guest when it is dropped.
    _registration: Registration,
}

impl InstancePool {
    /// Makes an empty pool, and enters it among those of the app.
    pub(crate) fn new(
        pre: ProxyPre<InstanceState>,
        config: Arc<InstanceConfig>,
        runtime: Arc<Runtime>,
    ) -> Arc<Self> {
        let pool = Arc::new(Self {
            pre,
            config,
            runtime,
            idle: Mutex::default(),
        });
        pool.runtime.pools.enter(&pool);
        pool
    }

    /// Answers a request. The guest of a client's request runs in the task of the connection until there is a response;
    /// what it does later is left to the caller, or to a task of its own. Dropping the future ends the work.
    ///
    /// `place` is kept until the guest has nothing left to do: until then it takes up as much, even when its client left. So
    /// a client that comes and goes cannot occupy more instances than the route allows.
    ///
    /// # Errors
    ///
    /// When there is no instance, it traps, it returns an error instead of a response, or no response in time.
    pub(crate) async fn call(
        self: &Arc<Self>,
        request: Request<WasiBody>,
        context: RequestContext,
        place: Option<Arc<Place>>,
    ) -> Result<Answered, Failure> {
        let max_duration = self.config.limits.max_duration;
        let deadline = Instant::now() + max_duration;
        let instance = match self.take_idle() {
            Some(instance) => instance,
            None => match timeout_at(deadline, Box::pin(self.make())).await {
                Ok(made) => made?,
                Err(_) => return Err(Failure::Overdue(max_duration)),
            },
        };
        let is_chained = context.is_chained();
        let call = instance.lifecycle.begin();
        let (respond, response) = oneshot::channel();
        let job = Job {
            request,
            context,
            respond,
            _place: place,
        };
        let run = run(Arc::downgrade(self), instance, job);
        let (received, work) = match is_chained {
            true => receive(run, response, deadline).await,
            false => receive_inline(run, response, deadline).await,
        };
        match received {
            Ok(Ok(Ok(response))) => Ok(Answered {
                response,
                work,
                call,
            }),
            Ok(Ok(Err(error))) => Err(Failure::Returned(summary(&error))),
            Ok(Err(oneshot::Canceled)) if call.lacked_memory() => {
                // Those that wait may have what this one lacked.
                self.runtime.pools.make_room();
                Err(self.memory_busy())
            }
            Ok(Err(oneshot::Canceled)) => Err(Failure::Trapped),
            Err(_) => {
                // Before the work is dropped, which reports why the instance ends.
                call.overdue();
                Err(Failure::Overdue(max_duration))
            }
        }
    }

    fn memory_busy(&self) -> Failure {
        Failure::MemoryBusy(self.runtime.memory.mebibytes())
    }

    fn take_idle(&self) -> Option<Box<Instance>> {
        loop {
            let Idle { instance, .. } = self.lock().pop()?;
            if instance.lifecycle.end_reason().is_none() {
                return Some(instance);
            }
        }
    }

    /// Makes an instance. If the engine's pool is exhausted it drops all idle instances of the app, and tries once more.
    async fn make(&self) -> Result<Box<Instance>, Failure> {
        if !self.runtime.memory.has_room() {
            self.runtime.pools.make_room();
            if !self.runtime.memory.has_room() {
                return Err(self.memory_busy());
            }
        }
        match self.instantiate().await {
            Err(Failure::PoolBusy(_)) => {
                self.runtime.pools.make_room();
                self.instantiate().await
            }
            made => made,
        }
    }

    async fn instantiate(&self) -> Result<Box<Instance>, Failure> {
        let (runtime, config) = (&self.runtime, &self.config);
        let meter = CpuMeter::new(config.limits.cpu_time, runtime.turns.clone());
        let meter = Arc::new(meter);
        let lifecycle = Arc::new(Lifecycle::default());
        let store = InstanceState::store(runtime, config, Arc::clone(&meter), &lifecycle);
        let mut store = store.map_err(not_made)?;
        let proxy = self.pre.instantiate_async(&mut store).await;
        let proxy = proxy.map_err(|error| match store.data().memory.lacked_total() {
            true => self.memory_busy(),
            false => not_made(error),
        })?;
        Ok(Box::new(Instance {
            store,
            view: InstanceState::view(config.profile),
            left: match proxy {
                Proxy::P2(_) => REUSE_0_2,
                Proxy::P3(_) => REUSE_0_3,
            },
            proxy,
            _registration: runtime.registry.enter(&lifecycle),
            lifecycle,
            meter,
            metrics: Arc::clone(&runtime.metrics),
        }))
    }

    /// Keeps an instance for the next request, if it may take one.
    pub(crate) fn give_back(&self, instance: Box<Instance>) {
        // A host that stops ends all instances first, and drops the idle ones then.
        let mut idle = self.lock();
        instance.lifecycle.settle();
        let is_kept = instance.left > 0 && !self.runtime.memory.is_scarce();
        if is_kept && instance.lifecycle.end_reason().is_none() {
            let waiting = Waiting::new(&self.runtime);
            idle.push(Idle { instance, waiting });
            return;
        }
        drop(idle);
        drop(instance);
    }

    fn retire_idle(&self, waited: Duration) {
        let now = Instant::now();
        let retired: Vec<Idle> = {
            let mut idle = self.lock();
            // They are in the order in which they began to wait.
            let kept =
                idle.partition_point(|idle| now.duration_since(idle.waiting.since) >= waited);
            idle.drain(..kept).collect()
        };
        drop(retired);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a guest returned, or whether it returned nothing, or nothing in time.
type Received = Result<Result<wasmtime::Result<Response<WasiBody>>, oneshot::Canceled>, Elapsed>;

/// Lets a guest work within this task until there is a response. Then what is left of the work is detached when it is
/// dropped; before, dropping ends it.
async fn receive_inline(
    run: impl Future<Output = ()> + Send + 'static,
    mut response: oneshot::Receiver<wasmtime::Result<Response<WasiBody>>>,
    deadline: Instant,
) -> (Received, Option<InlineWork>) {
    let mut work = InlineWork::new(without_panic(run));
    let received = poll_fn(|cx| work.poll_with(cx, |cx| response.poll_unpin(cx)));
    let received = timeout_at(deadline, received).await;
    if received.is_ok() {
        work.detach_on_drop();
    }
    (received, Some(work))
}

/// Lets a guest work in a task of its own: it cannot run within the task of the guest that waits for it.
async fn receive(
    run: impl Future<Output = ()> + Send + 'static,
    response: oneshot::Receiver<wasmtime::Result<Response<WasiBody>>>,
    deadline: Instant,
) -> (Received, Option<InlineWork>) {
    tokio::spawn(without_panic(run));
    (timeout_at(deadline, response).await, None)
}

/// Catches a panic of the host's own part of the work, so that the client still gets an answer.
fn without_panic(run: impl Future<Output = ()> + Send) -> impl Future<Output = ()> + Send {
    AssertUnwindSafe(run).catch_unwind().map(drop)
}

fn not_made(error: wasmtime::Error) -> Failure {
    match error.is::<PoolConcurrencyLimitError>() {
        true => Failure::PoolBusy(summary(&error)),
        false => Failure::Returned(summary(&error)),
    }
}

/// The pools of all components of an app, in all versions that still serve.
#[derive(Default)]
pub(crate) struct Pools {
    all: Mutex<Vec<Weak<InstancePool>>>,
    /// Instances that wait for a request, in all pools.
    idle: AtomicUsize,
}

impl Pools {
    fn enter(&self, pool: &Arc<InstancePool>) {
        let mut pools = self.lock();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    /// Drops all instances that wait for a request, for one that lacks something. While that lasts no others begin to wait, so
    /// a refusal mostly finds none, and costs nothing.
    fn make_room(&self) {
        if self.idle.load(Ordering::Relaxed) > 0 {
            self.retire_idle(Duration::ZERO);
        }
    }

    /// Drops the instances that have waited for a request for this long.
    pub(crate) fn retire_idle(&self, waited: Duration) {
        let pools: Vec<_> = self.lock().iter().filter_map(Weak::upgrade).collect();
        for pool in pools {
            pool.retire_idle(waited);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<InstancePool>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts an instance that waits for a request.
struct Waiting {
    runtime: Arc<Runtime>,
    since: Instant,
}

impl Waiting {
    fn new(runtime: &Arc<Runtime>) -> Self {
        runtime.pools.idle.fetch_add(1, Ordering::Relaxed);
        Self {
            runtime: Arc::clone(runtime),
            since: Instant::now(),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.runtime.pools.idle.fetch_sub(1, Ordering::Relaxed);
    }
}
