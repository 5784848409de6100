//! A component of the app: loaded when first asked for, and again when its file changed.

use crate::app::cache::ResponseCache;
use crate::app::cache::data::DataSpace;
use crate::app::cache::route::CachedRoute;
use crate::app::file_stamp::{FileStamp, LastLook};
use crate::engine::content::ContentDigest;
use crate::instance::config::{InstanceConfig, Runtime};
use crate::instance::load::{self, Binary, LoadError, load};
use crate::instance::pool::InstancePool;
use crate::observe::labels::Labels;
use crate::observe::metrics::{Bound, StatusClasses};
use crate::request::admission::Admission;
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, Severity};
use crate::wasi::dispatch::DataCache;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};
use tokio::sync::OwnedMutexGuard;
use waypost_cache::internal::{CACHE_VARIABLE, DRAFT_SECRET};
use waypost_config::ComponentId;
use waypost_config::settings::CacheRules;

/// One component, with whatever is loaded of it.
pub(crate) struct LazyComponent {
    pub(crate) config: Arc<InstanceConfig>,
    pub(crate) admission: Admission,
    /// Its responses, by class of status.
    pub(crate) responses: StatusClasses,
    source: PathBuf,
    /// How its responses are cached, if it has a route.
    caching: Option<Caching>,
    runtime: Arc<Runtime>,
    slot: Mutex<Slot>,
    loading: Arc<tokio::sync::Mutex<()>>,
}

/// What a component with a route has of the cache.
pub(crate) struct Caching {
    pub(crate) rules: CacheRules,
    pub(crate) cache: Arc<ResponseCache>,
}

#[derive(Default)]
struct Slot {
    loaded: Option<Loaded>,
    refused: Option<(FileStamp, Arc<LoadError>)>,
    looked: LastLook,
    /// The version whose code is in the cache, though it was not loaded.
    compiled: Option<FileStamp>,
}

/// A version that serves.
struct Loaded {
    /// The file, when its content was known to be this version.
    stamp: FileStamp,
    digest: ContentDigest,
    version: Version,
}

/// A version of a component.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) pool: Arc<InstancePool>,
    /// How its responses are cached, if they are.
    pub(crate) cached: Option<Arc<CachedRoute>>,
}

enum Look {
    Use(Version),
    Refuse(Arc<LoadError>),
    Load,
}

impl LazyComponent {
    /// Describes a component; nothing is read yet.
    pub(crate) fn new(
        config: InstanceConfig,
        source: PathBuf,
        caching: Option<Caching>,
        admission: Admission,
        runtime: Arc<Runtime>,
    ) -> Self {
        Self {
            config: Arc::new(config),
            admission,
            responses: StatusClasses::default(),
            source,
            caching,
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
        let bound = failure.bound();
        if let Some(bound) = bound {
            self.runtime.metrics.over(bound);
        }
        let bound = bound.map(Bound::name);
        match failure.severity() {
            Severity::Detail => {
                tracing::debug!(route, %component, %request, status, bound, "{failure}")
            }
            Severity::Warning => {
                tracing::warn!(route, %component, %request, status, bound, "{failure}")
            }
            Severity::Error => {
                tracing::error!(route, %component, %request, status, bound, "{failure}")
            }
        }
    }

    /// Returns the version of the component's file as it is now.
    ///
    /// The first request compiles it, and those that come meanwhile wait for that one. A changed file is
    /// loaded the same way; requests in flight end on the version that they began with. When the new
    /// version cannot be loaded the old one goes on.
    ///
    /// # Errors
    ///
    /// When there is no version that can be loaded.
    pub(crate) async fn version_now(self: &Arc<Self>) -> Result<Version, Arc<LoadError>> {
        if let Some(result) = self.look().ready() {
            return result;
        }
        let lock = Arc::clone(&self.loading).lock_owned().await;
        match self.look().ready() {
            Some(result) => result,
            None => self.load(lock).await,
        }
    }

    /// Returns the version that serves, or `None` if the file has to be looked at first.
    pub(crate) fn loaded(&self) -> Option<Version> {
        match self.look() {
            Look::Use(version) => Some(version),
            Look::Refuse(_) | Look::Load => None,
        }
    }

    /// Returns whether the version that serves is cached in this way.
    pub(crate) fn is_cached_as(&self, route: &Arc<CachedRoute>) -> bool {
        let slot = self.lock();
        let cached = slot
            .loaded
            .as_ref()
            .and_then(|loaded| loaded.version.cached.as_ref());
        // Otherwise the usual way looks at the file.
        !slot.looked.is_due() && cached.is_some_and(|cached| Arc::ptr_eq(cached, route))
    }

    /// Returns whether it has a route whose responses may be cached.
    pub(crate) fn has_route(&self) -> bool {
        self.caching.is_some()
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
        let (engine, code_cache) = (&self.runtime.engine, &self.runtime.code_cache);
        let id = component.as_str();
        let result = load::read(id, &self.source)
            .and_then(|binary| load::compile(engine, code_cache, id, &binary).map(drop));
        if let Err(error) = result {
            tracing::error!(route, %component, "{error}");
        }
    }

    /// Makes the next request check the file for changes, even if it was checked a moment ago.
    pub(crate) fn look_again(&self) {
        self.lock().looked.forget();
    }

    /// Returns when its file changed last, or `None` if the file is missing.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        FileStamp::of(&self.source).modified()
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
    async fn load(self: &Arc<Self>, lock: OwnedMutexGuard<()>) -> Result<Version, Arc<LoadError>> {
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

    fn load_now(&self) -> Result<Version, Arc<LoadError>> {
        // Taken before the file is read: a change during the load is seen by the next look.
        let stamp = FileStamp::of(&self.source);
        let binary = load::read(self.id().as_str(), &self.source);
        if let Ok(binary) = &binary
            && let Some(version) = self.lock().is_still(binary.digest(), stamp)
        {
            return Ok(version);
        }
        let result = binary.and_then(|binary| self.load_version(&binary, stamp));
        let mut slot = self.lock();
        slot.looked.done();
        match result {
            Ok(loaded) => {
                let version = loaded.version.clone();
                slot.loaded = Some(loaded);
                slot.refused = None;
                Ok(version)
            }
            Err(error) => {
                let old = slot.loaded.as_ref().map(|old| old.version.clone());
                if old.is_some() {
                    // Without an old version each request fails, and logs why.
                    slot.log_refusal(&self.config.labels, &error);
                }
                let error = Arc::new(error);
                slot.refused = Some((stamp, Arc::clone(&error)));
                old.ok_or(error)
            }
        }
    }

    fn load_version(&self, binary: &Binary, stamp: FileStamp) -> Result<Loaded, LoadError> {
        let Labels { route, component } = &*self.config.labels;
        let started = Instant::now();
        let pre = load(&self.runtime, &self.config, binary)?;
        let config = self.config_of(binary);
        let milliseconds = started.elapsed().as_millis();
        tracing::debug!(route, %component, milliseconds, "loaded");
        let rules = self.caching.as_ref().map(|caching| &caching.rules);
        let cached = rules.and_then(|rules| CachedRoute::of(rules, binary, &self.config.labels));
        Ok(Loaded {
            stamp,
            digest: binary.digest(),
            version: Version {
                pool: InstancePool::new(pre, config, Arc::clone(&self.runtime)),
                cached,
            },
        })
    }

    /// Returns what the instances of a version need to know: the variables of the host only if it can read them.
    fn config_of(&self, binary: &Binary) -> Arc<InstanceConfig> {
        let secret = self.config.draft_secret.as_ref();
        Arc::new(InstanceConfig {
            draft_secret: secret.filter(|_| binary.contains(DRAFT_SECRET)).cloned(),
            is_told_of_cache: self.config.is_told_of_cache && binary.contains(CACHE_VARIABLE),
            data: self.data_cache(binary),
            ..(*self.config).clone()
        })
    }

    /// Returns the data cache of a version. It never sees what another version or component has stored.
    fn data_cache(&self, binary: &Binary) -> Option<Arc<dyn DataCache>> {
        let Caching { rules, cache } = self.caching.as_ref()?;
        let (pattern, digest) = (rules.pattern().clone(), *binary.digest().as_bytes());
        let space = DataSpace::new(Arc::clone(cache), &self.config, pattern, digest);
        Some(Arc::new(space))
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn current(&self) -> Look {
        match (&self.loaded, &self.refused) {
            (Some(loaded), _) => Look::Use(loaded.version.clone()),
            (None, Some((_, error))) => Look::Refuse(Arc::clone(error)),
            (None, None) => Look::Load,
        }
    }

    /// Returns whether the file is known to hold what was tried last. A version that was refused is not tried again,
    /// unless the reason may have gone; one that may have changed without a trace is read again.
    fn is_of(&self, stamp: FileStamp) -> bool {
        match (&self.refused, &self.loaded) {
            (Some((refused, error)), _) => {
                *refused == stamp && stamp.is_final() && !error.may_pass()
            }
            (None, Some(loaded)) => loaded.stamp == stamp && stamp.is_final(),
            (None, None) => false,
        }
    }

    /// Logs why a version is refused, once.
    fn log_refusal(&self, labels: &Labels, error: &LoadError) {
        let Labels { route, component } = labels;
        let reason = error.to_string();
        let told = self.refused.as_ref().map(|(_, told)| told.to_string());
        if told.as_ref() != Some(&reason) {
            tracing::error!(route, %component, "{reason}");
        }
    }

    /// Returns the version that serves if the file has its content still, or again.
    fn is_still(&mut self, digest: ContentDigest, stamp: FileStamp) -> Option<Version> {
        let loaded = self
            .loaded
            .as_mut()
            .filter(|loaded| loaded.digest == digest)?;
        loaded.stamp = stamp;
        let version = loaded.version.clone();
        self.refused = None;
        self.looked.done();
        Some(version)
    }
}

impl Look {
    fn ready(self) -> Option<Result<Version, Arc<LoadError>>> {
        match self {
            Self::Use(version) => Some(Ok(version)),
            Self::Refuse(error) => Some(Err(error)),
            Self::Load => None,
        }
    }
}
