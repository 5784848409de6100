//! A component of the app: loaded when first asked for, and again when its file changed.

use crate::activity::Activity;
use crate::admission::Admission;
use crate::app::App;
use crate::cpu::{CpuMeter, Turns};
use crate::grants::Grants;
use crate::instance::InstanceState;
use crate::load::{LoadError, load};
use crate::manner::Manner;
use crate::registry::Registry;
use crate::spin;
use crate::worker::{self, Expiration, Worker};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::OwnedMutexGuard;
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::handler::{HandlerState, Instance, ProxyHandler, ProxyPre};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

/// How often at most a component's file is looked at, so that a busy route does not ask the disk.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// What all components of an app share.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<InstanceState>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) turns: Turns,
}

/// One component, with whatever is loaded of it.
pub(crate) struct LazyComponent {
    pub(crate) grants: Arc<Grants>,
    pub(crate) admission: Admission,
    runtime: Arc<Runtime>,
    app: Weak<App>,
    slot: Mutex<Slot>,
    loading: Arc<tokio::sync::Mutex<()>>,
}

/// How a request gets into an instance.
type View = fn(&mut InstanceState) -> WasiHttpCtxView<'_>;

/// Serves requests with instances of one version of a component.
pub(crate) type Handler = ProxyHandler<Loaded>;

#[derive(Default)]
struct Slot {
    loaded: Option<(FileStamp, Handler)>,
    refused: Option<(FileStamp, Arc<LoadError>)>,
    looked: Option<Instant>,
}

/// Tells versions of a file apart without reading it; `None` where there is none.
type FileStamp = Option<(SystemTime, u64)>;

enum Look {
    Use(Handler),
    Refuse(Arc<LoadError>),
    Load,
}

impl LazyComponent {
    /// Describes a component; nothing is read yet.
    pub(crate) fn new(
        grants: Grants,
        admission: Admission,
        runtime: Arc<Runtime>,
        app: Weak<App>,
    ) -> Self {
        Self {
            grants: Arc::new(grants),
            admission,
            runtime,
            app,
            slot: Mutex::default(),
            loading: Arc::default(),
        }
    }

    /// Gives the handler of the component's file as it is now.
    ///
    /// The first request compiles it, and those that come meanwhile wait for that one. A changed file is
    /// loaded the same way; requests in flight end on the version that they began with. When the new
    /// version cannot be loaded the old one goes on.
    ///
    /// # Errors
    ///
    /// When there is no version that can be loaded.
    pub(crate) async fn handler(self: &Arc<Self>) -> Result<Handler, Arc<LoadError>> {
        if let Some(result) = self.look().ready() {
            return result;
        }
        let lock = Arc::clone(&self.loading).lock_owned().await;
        match self.look().ready() {
            Some(result) => result,
            None => self.load(lock).await,
        }
    }

    fn look(&self) -> Look {
        let mut slot = self.lock();
        let now = Instant::now();
        let due = slot
            .looked
            .is_none_or(|looked| now - looked >= LOOK_INTERVAL);
        if !due {
            return slot.current();
        }
        let stamp = stamp(&self.grants.source);
        if slot.is_of(stamp) {
            slot.looked = Some(now);
            return slot.current();
        }
        Look::Load
    }

    /// Loads the file as it is now and records the outcome. The work goes on when the request that asked
    /// for it is dropped, and the lock is kept until it is done: a version is loaded once.
    async fn load(self: &Arc<Self>, lock: OwnedMutexGuard<()>) -> Result<Handler, Arc<LoadError>> {
        let component = Arc::clone(self);
        let work = move || {
            let outcome = component.load_now();
            drop(lock);
            outcome
        };
        let work = tokio::task::spawn_blocking(work).await;
        work.unwrap_or_else(|error| {
            Err(Arc::new(LoadError::Interrupted {
                component: self.grants.id.to_string(),
                reason: error.to_string(),
            }))
        })
    }

    fn load_now(&self) -> Result<Handler, Arc<LoadError>> {
        let (route, id) = (self.grants.name.as_str(), &self.grants.id);
        let started = Instant::now();
        // Taken before the file is read: a change during the load is seen by the next look.
        let stamp = stamp(&self.grants.source);
        let result = load(&self.runtime.engine, &self.runtime.linker, &self.grants);
        let mut slot = self.lock();
        slot.looked = Some(Instant::now());
        match result {
            Ok(pre) => {
                let milliseconds = started.elapsed().as_millis();
                tracing::debug!(route, component = %id, milliseconds, "loaded");
                let handler = ProxyHandler::new(self.loaded(pre));
                slot.loaded = Some((stamp, handler.clone()));
                slot.refused = None;
                Ok(handler)
            }
            Err(error) => {
                tracing::error!(route, component = %id, "{error}");
                let error = Arc::new(error);
                slot.refused = Some((stamp, Arc::clone(&error)));
                let old = slot.loaded.as_ref().map(|(_, handler)| handler.clone());
                old.ok_or(error)
            }
        }
    }

    fn loaded(&self, pre: ProxyPre<InstanceState>) -> Loaded {
        Loaded {
            pre,
            grants: Arc::clone(&self.grants),
            runtime: Arc::clone(&self.runtime),
            app: Weak::clone(&self.app),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn current(&self) -> Look {
        match (&self.loaded, &self.refused) {
            (Some((_, handler)), _) => Look::Use(handler.clone()),
            (None, Some((_, error))) => Look::Refuse(Arc::clone(error)),
            (None, None) => Look::Load,
        }
    }

    /// Tells whether this version of the file was tried. One that was refused is not tried again.
    fn is_of(&self, stamp: FileStamp) -> bool {
        match &self.refused {
            Some((refused, _)) => *refused == stamp,
            None => self
                .loaded
                .as_ref()
                .is_some_and(|(loaded, _)| *loaded == stamp),
        }
    }
}

impl Look {
    fn ready(self) -> Option<Result<Handler, Arc<LoadError>>> {
        match self {
            Self::Use(handler) => Some(Ok(handler)),
            Self::Refuse(error) => Some(Err(error)),
            Self::Load => None,
        }
    }
}

fn stamp(path: &Path) -> FileStamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// One version of a component, ready to be instantiated.
pub(crate) struct Loaded {
    pre: ProxyPre<InstanceState>,
    grants: Arc<Grants>,
    runtime: Arc<Runtime>,
    app: Weak<App>,
}

impl HandlerState for Loaded {
    type StoreData = InstanceState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<InstanceState, Expiration, Worker>> {
        let limits = &self.grants.limits;
        let meter = Arc::new(CpuMeter::new(limits.cpu_time, self.runtime.turns.clone()));
        let mut store = InstanceState::store(
            &self.runtime.engine,
            &self.grants,
            &self.app,
            Arc::clone(&meter),
        )?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let activity = Arc::new(Activity::default());
        let (view, concurrency) = match self.grants.manner {
            Manner::Waypost => (InstanceState::http as View, worker::CONCURRENCY),
            Manner::Spin => (InstanceState::http_on_spin as View, spin::CONCURRENCY),
        };
        Ok(Instance {
            store,
            proxy,
            view,
            expiration: Expiration::new(Arc::clone(&activity), meter, limits.max_duration),
            state: Worker {
                registration: self.runtime.registry.enter(&activity),
                activity,
                max_duration: limits.max_duration,
                reuse: match self.pre {
                    ProxyPre::P2(_) => worker::REUSE_0_2,
                    ProxyPre::P3(_) => worker::REUSE_0_3,
                },
                concurrency,
            },
        })
    }
}
