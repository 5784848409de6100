//! A component of the app: loaded when first asked for, and again when its file changed.

use crate::file_stamp::{FileStamp, LastLook};
use crate::instance::config::{InstanceConfig, Runtime};
use crate::instance::pool::InstancePool;
use crate::load::{self, LoadError, load};
use crate::observe::labels::Labels;
use crate::observe::metrics::StatusClasses;
use crate::request::admission::Admission;
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, Severity};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};
use tokio::sync::OwnedMutexGuard;
use waypost_config::ComponentId;

/// One component, with whatever is loaded of it.
pub(crate) struct LazyComponent {
    pub(crate) config: Arc<InstanceConfig>,
    pub(crate) admission: Admission,
    /// Its responses, by class of status.
    pub(crate) responses: StatusClasses,
    source: PathBuf,
    runtime: Arc<Runtime>,
    slot: Mutex<Slot>,
    loading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Slot {
    loaded: Option<(FileStamp, Arc<InstancePool>)>,
    refused: Option<(FileStamp, Arc<LoadError>)>,
    looked: LastLook,
    /// The version whose code is in the cache, though it was not loaded.
    compiled: Option<FileStamp>,
}

enum Look {
    Use(Arc<InstancePool>),
    Refuse(Arc<LoadError>),
    Load,
}

impl LazyComponent {
    /// Describes a component; nothing is read yet.
    pub(crate) fn new(
        config: InstanceConfig,
        source: PathBuf,
        admission: Admission,
        runtime: Arc<Runtime>,
    ) -> Self {
        Self {
            config: Arc::new(config),
            admission,
            responses: StatusClasses::default(),
            source,
            runtime,
            slot: Mutex::default(),
            loading: Arc::default(),
        }
    }

    /// Returns its id.
    pub(crate) fn id(&self) -> &ComponentId {
        &self.config.labels.component
    }

    /// Logs a failure of a request for the component, and counts it.
    pub(crate) fn report(&self, failure: &Failure, context: &RequestContext) {
        let Labels { route, component } = &*self.config.labels;
        let (request, status) = (context.id, failure.status().as_u16());
        if let Some(bound) = failure.bound() {
            self.runtime.metrics.over(bound);
        }
        match failure.severity() {
            Severity::Detail => tracing::debug!(route, %component, %request, status, "{failure}"),
            Severity::Warning => tracing::warn!(route, %component, %request, status, "{failure}"),
            Severity::Error => tracing::error!(route, %component, %request, status, "{failure}"),
        }
    }

    /// Returns the instances of the component's file as it is now.
    ///
    /// The first request compiles it, and those that come meanwhile wait for that one. A changed file is
    /// loaded the same way; requests in flight end on the version that they began with. When the new
    /// version cannot be loaded the old one goes on.
    ///
    /// # Errors
    ///
    /// When there is no version that can be loaded.
    pub(crate) async fn pool_now(self: &Arc<Self>) -> Result<Arc<InstancePool>, Arc<LoadError>> {
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
        let Labels { route, component } = &*self.config.labels;
        // Taken before the file is read, as when it is loaded.
        let stamp = FileStamp::of(&self.source);
        if self.lock().compiled.replace(stamp) == Some(stamp) {
            return;
        }
        if let Err(error) = load::compile(&self.runtime.engine, component.as_str(), &self.source) {
            tracing::error!(route, %component, "{error}");
        }
    }

    /// Has the next request look at the file, however lately that was done.
    pub(crate) fn look_again(&self) {
        self.lock().looked.forget();
    }

    /// When its file changed last; none where there is no file.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        FileStamp::of(&self.source).changed()
    }

    fn look(&self) -> Look {
        let mut slot = self.lock();
        if !slot.looked.is_due() {
            return slot.current();
        }
        let stamp = FileStamp::of(&self.source);
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
    ) -> Result<Arc<InstancePool>, Arc<LoadError>> {
        let component = Arc::clone(self);
        let work = move || {
            let outcome = component.load_now();
            drop(lock);
            outcome
        };
        let work = tokio::task::spawn_blocking(work).await;
        work.unwrap_or_else(|error| {
            Err(Arc::new(LoadError::Interrupted {
                component: self.id().to_string(),
                reason: error.to_string(),
            }))
        })
    }

    fn load_now(&self) -> Result<Arc<InstancePool>, Arc<LoadError>> {
        let Labels { route, component } = &*self.config.labels;
        let started = Instant::now();
        // Taken before the file is read: a change during the load is seen by the next look.
        let stamp = FileStamp::of(&self.source);
        let result = load(&self.runtime, &self.config, &self.source);
        let mut slot = self.lock();
        slot.looked.done();
        match result {
            Ok(pre) => {
                let milliseconds = started.elapsed().as_millis();
                tracing::debug!(route, %component, milliseconds, "loaded");
                let (config, runtime) = (Arc::clone(&self.config), Arc::clone(&self.runtime));
                let handler = InstancePool::new(pre, config, runtime);
                slot.loaded = Some((stamp, handler.clone()));
                slot.refused = None;
                Ok(handler)
            }
            Err(error) => {
                tracing::error!(route, %component, "{error}");
                let error = Arc::new(error);
                slot.refused = Some((stamp, Arc::clone(&error)));
                let old = slot.loaded.as_ref().map(|(_, handler)| handler.clone());
                old.ok_or(error)
            }
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
    fn ready(self) -> Option<Result<Arc<InstancePool>, Arc<LoadError>>> {
        match self {
            Self::Use(handler) => Some(Ok(handler)),
            Self::Refuse(error) => Some(Err(error)),
            Self::Load => None,
        }
    }
}
