//! The instances of one version of a component: those that wait for a request, and how they come to be.

use crate::activity::Activity;
use crate::app::{App, Reply};
use crate::component::Runtime;
use crate::cpu::CpuMeter;
use crate::exchange::Ticket;
use crate::failure::{Failure, summary};
use crate::grants::Grants;
use crate::instance::InstanceState;
use crate::manner::Manner;
use crate::registry::Registration;
use crate::rest::Rest;
use crate::run::run;
use futures::FutureExt;
use futures::channel::oneshot;
use http::Request;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use wasmtime::{PoolConcurrencyLimitError, Store};
use wasmtime_wasi_http::handler::{Proxy, ProxyPre};
use wasmtime_wasi_http::{WasiBody, WasiHttpCtxView, WasiHttpView};

/// Requests after which an instance of WASI 0.3 is replaced, as `wasmtime serve` does: what a guest leaks stays
/// bounded.
const REUSE_0_3: usize = 128;

/// Requests that an instance of WASI 0.2 gets. No other host gives it a second one, and components that were
/// made for those hosts rely on that: JavaScript with a `fetch` listener (StarlingMonkey) fails there.
const REUSE_0_2: usize = 1;

/// How long an instance without work is kept: long enough for the pauses of ordinary traffic, short
/// enough that a quiet app gives its memory back.
pub(crate) const IDLE: Duration = Duration::from_secs(10);

/// How a request gets into an instance.
pub(crate) type View = fn(&mut InstanceState) -> WasiHttpCtxView<'_>;

/// Serves requests with instances of one version of a component.
///
/// An instance takes one request at a time, so that a trap ends one. The one that was used last is taken first: what
/// it needs is still in the processor's cache, and those that many requests at once had made are let go.
pub(crate) struct Instances {
    pre: ProxyPre<InstanceState>,
    grants: Arc<Grants>,
    runtime: Arc<Runtime>,
    app: Weak<App>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    instance: Box<Instance>,
    since: Instant,
}

/// A component with its memory.
pub(crate) struct Instance {
    pub(crate) store: Store<InstanceState>,
    pub(crate) proxy: Proxy,
    pub(crate) view: View,
    pub(crate) activity: Arc<Activity>,
    pub(crate) meter: Arc<CpuMeter>,
    /// Requests that it may still get.
    pub(crate) left: usize,
    /// Ends after the store: what the guest printed last leaves with that.
    _registration: Registration,
}

impl Instances {
    /// Has none yet.
    pub(crate) fn new(
        pre: ProxyPre<InstanceState>,
        grants: Arc<Grants>,
        runtime: Arc<Runtime>,
        app: Weak<App>,
    ) -> Self {
        Self {
            pre,
            grants,
            runtime,
            app,
            idle: Mutex::default(),
        }
    }

    /// Answers a request. The guest works in the task of a client's connection until there is a response; what it
    /// does later is left to the caller, or to a task of its own. Dropping the future ends the work.
    ///
    /// # Errors
    ///
    /// When there is no instance, it traps, or it gives an error in the place of a response.
    pub(crate) async fn handle(
        self: &Arc<Self>,
        ticket: Ticket,
        request: Request<WasiBody>,
    ) -> Result<Reply, Failure> {
        // One instance can't work within the task of another.
        let is_chained = ticket.context.is_chained();
        let instance = self.take().await?;
        let (respond, mut response) = oneshot::channel();
        let home = Arc::downgrade(self);
        let run = run(home, instance, ticket, request, respond);
        // Should the host's own part of it panic, the client is answered all the same.
        let run = AssertUnwindSafe(run).catch_unwind().map(drop);
        let (response, rest) = match is_chained {
            true => {
                tokio::spawn(run);
                (response.await, None)
            }
            false => {
                let mut rest = Rest::of(run);
                let answered = poll_fn(|cx| rest.poll(cx, |cx| response.poll_unpin(cx))).await;
                rest.last();
                (answered, Some(rest))
            }
        };
        match response {
            Ok(Ok(response)) => Ok(Reply { response, rest }),
            Ok(Err(error)) => Err(Failure::Returned(summary(&error))),
            Err(oneshot::Canceled) => Err(Failure::Trapped),
        }
    }

    /// Takes an instance that waits, or makes one.
    async fn take(&self) -> Result<Box<Instance>, Failure> {
        while let Some(idle) = self.pop() {
            if idle.instance.activity.doom().is_none() {
                return Ok(idle.instance);
            }
        }
        match Box::pin(self.instantiate()).await {
            Err(Failure::PoolBusy(_)) => {
                // Others keep instances that nobody needs at the moment.
                if let Some(app) = self.app.upgrade() {
                    app.retire_idle(Duration::ZERO);
                }
                Box::pin(self.instantiate()).await
            }
            made => made,
        }
    }

    fn pop(&self) -> Option<Idle> {
        self.lock().pop()
    }

    /// Keeps an instance for the next request, if it may get one.
    pub(crate) fn give_back(&self, instance: Box<Instance>) {
        // A host that stops looks here after it has condemned the instances.
        let mut idle = self.lock();
        // What its last client still reads has left the instance.
        instance.activity.settle();
        if instance.left > 0 && instance.activity.doom().is_none() {
            let since = Instant::now();
            idle.push(Idle { instance, since });
            return;
        }
        drop(idle);
        drop(instance);
    }

    /// Lets go of the instances that have waited for so long.
    pub(crate) fn retire(&self, waited: Duration) {
        let now = Instant::now();
        let retired: Vec<Idle> = {
            let mut idle = self.lock();
            // They are in the order in which they began to wait.
            let kept = idle.partition_point(|idle| now.duration_since(idle.since) >= waited);
            idle.drain(..kept).collect()
        };
        drop(retired);
    }

    async fn instantiate(&self) -> Result<Box<Instance>, Failure> {
        let limits = &self.grants.limits;
        let meter = Arc::new(CpuMeter::new(limits.cpu_time, self.runtime.turns.clone()));
        let store = InstanceState::store(
            &self.runtime.engine,
            &self.grants,
            &self.app,
            Arc::clone(&meter),
        );
        let mut store = store.map_err(not_made)?;
        let proxy = self.pre.instantiate_async(&mut store).await;
        let proxy = proxy.map_err(not_made)?;
        let activity = Arc::new(Activity::default());
        Ok(Box::new(Instance {
            store,
            view: match self.grants.manner {
                Manner::Waypost => InstanceState::http,
                Manner::Spin => InstanceState::http_on_spin,
            },
            left: match proxy {
                Proxy::P2(_) => REUSE_0_2,
                Proxy::P3(_) => REUSE_0_3,
            },
            proxy,
            _registration: self.runtime.registry.enter(&activity),
            activity,
            meter,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_made(error: wasmtime::Error) -> Failure {
    match error.is::<PoolConcurrencyLimitError>() {
        true => Failure::PoolBusy(summary(&error)),
        false => Failure::Returned(summary(&error)),
    }
}
