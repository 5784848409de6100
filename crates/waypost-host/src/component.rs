//! A component of the app: loaded when first asked for, and again when its file changed.

use crate::admission::Admission;
use crate::app::App;
use crate::cpu::Turns;
use crate::file_stamp::{FileStamp, LastLook};
use crate::grants::Grants;
use crate::instance::InstanceState;
use crate::instances::Instances;
use crate::load::{self, LoadError, load};
use crate::registry::Registry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::OwnedMutexGuard;
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::handler::ProxyPre;

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

#[derive(Default)]
struct Slot {
    loaded: Option<(FileStamp, Arc<Instances>)>,
    refused: Option<(FileStamp, Arc<LoadError>)>,
    looked: LastLook,
    /// The version whose code is in the cache, though it was not loaded.
    compiled: Option<FileStamp>,
}

enum Look {
    Use(Arc<Instances>),
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

    /// Gives the instances of the component's file as it is now.
    ///
    /// The first request compiles it, and those that come meanwhile wait for that one. A changed file is
    /// loaded the same way; requests in flight end on the version that they began with. When the new
    /// version cannot be loaded the old one goes on.
    ///
    /// # Errors
    ///
    /// When there is no version that can be loaded.
    pub(crate) async fn instances_now(self: &Arc<Self>) -> Result<Arc<Instances>, Arc<LoadError>> {
        if let Some(result) = self.look().ready() {
            return result;
        }
        let lock = Arc::clone(&self.loading).lock_owned().await;
        match self.look().ready() {
            Some(result) => result,
            None => self.load(lock).await,
        }
    }

    /// Fills the code cache, if nothing of the component is loaded yet: what a request would wait for first.
    pub(crate) async fn compile(self: &Arc<Self>) {
        // A request that comes meanwhile waits for this, rather than to compile the same once more.
        let lock = Arc::clone(&self.loading).lock_owned().await;
        if self.look().ready().is_some() {
            return;
        }
        let component = Arc::clone(self);
        let work = move || {
            component.compile_now();
            drop(lock);
        };
        // It fails only when the runtime ends, and then nobody waits for the code.
        let _ = tokio::task::spawn_blocking(work).await;
    }

    fn compile_now(&self) {
        let (engine, grants) = (&self.runtime.engine, &self.grants);
        // Taken before the file is read, as when it is loaded.
        let stamp = FileStamp::of(&grants.source);
        if self.lock().compiled.replace(stamp) == Some(stamp) {
            return;
        }
        if let Err(error) = load::compile(engine, grants.id.as_str(), &grants.source) {
            tracing::error!(route = grants.name, component = %grants.id, "{error}");
        }
    }

    /// Has the next request look at the file, however lately that was done.
    pub(crate) fn look_again(&self) {
        self.lock().looked.forget();
    }

    /// When its file changed last; none where there is no file.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        FileStamp::of(&self.grants.source).changed()
    }

    fn look(&self) -> Look {
        let mut slot = self.lock();
        if !slot.looked.is_due() {
            return slot.current();
        }
        let stamp = FileStamp::of(&self.grants.source);
        if slot.is_of(stamp) {
            slot.looked.done();
            return slot.current();
        }
        Look::Load
    }

    /// Loads the file as it is now and records the outcome. The work goes on when the request that asked
    /// for it is dropped, and the lock is kept until it is done: a version is loaded once.
    async fn load(
        self: &Arc<Self>,
        lock: OwnedMutexGuard<()>,
    ) -> Result<Arc<Instances>, Arc<LoadError>> {
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

    fn load_now(&self) -> Result<Arc<Instances>, Arc<LoadError>> {
        let (route, id) = (self.grants.name.as_str(), &self.grants.id);
        let started = Instant::now();
        // Taken before the file is read: a change during the load is seen by the next look.
        let stamp = FileStamp::of(&self.grants.source);
        let result = load(&self.runtime.engine, &self.runtime.linker, &self.grants);
        let mut slot = self.lock();
        slot.looked.done();
        match result {
            Ok(pre) => {
                let milliseconds = started.elapsed().as_millis();
                tracing::debug!(route, component = %id, milliseconds, "loaded");
                let handler = self.instances(pre);
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

    fn instances(&self, pre: ProxyPre<InstanceState>) -> Arc<Instances> {
        Arc::new(Instances::new(
            pre,
            Arc::clone(&self.grants),
            Arc::clone(&self.runtime),
            Weak::clone(&self.app),
        ))
    }

    /// Lets go of the instances that have waited for so long.
    pub(crate) fn retire_idle(&self, waited: Duration) {
        let loaded = self.lock().loaded.clone();
        if let Some((_, instances)) = loaded {
            instances.retire(waited);
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
    fn ready(self) -> Option<Result<Arc<Instances>, Arc<LoadError>>> {
        match self {
            Self::Use(handler) => Some(Ok(handler)),
            Self::Refuse(error) => Some(Err(error)),
            Self::Load => None,
        }
    }
}
