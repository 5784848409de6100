//! The host as its users see it.

use crate::app::App;
use crate::app::build::Assembly;
use crate::compat::{HostProfile, spin};
use crate::engine;
use crate::engine::epoch::{EpochClock, Turns};
use crate::error::HostError;
use crate::http::admin::Admin;
use crate::http::{files, listener};
use crate::instance::config::Runtime;
use crate::instance::lifecycle::registry::Registry;
use crate::instance::linker;
use crate::instance::pool::{IDLE, Pools};
use crate::instance::total_memory::TotalMemory;
use crate::options::HostOptions;
use crate::request::admission::Admission;
use crate::wasi::key_value::Stores;
use crate::wasi::upstream::{Connections, Tls};
use std::cmp::Reverse;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use waypost_config::{Manifest, Settings};

/// How long instances may take to end when the host stops: they do so at once, or within 10 ms if a guest runs.
const LAST_INSTANCES: Duration = Duration::from_secs(1);

/// How often idle instances are dropped.
const TIDY_INTERVAL: Duration = Duration::from_secs(1);

/// Runs the components of an app and serves them over HTTP.
pub struct Host {
    app: Arc<App>,
    _clock: EpochClock,
}

impl Host {
    /// Makes a host. A component is loaded when the first request for it comes.
    ///
    /// Variables of the manifest are read from the environment (`SPIN_VARIABLE_<NAME>`), or else from the file `.env` beside the
    /// manifest, as in Spin.
    ///
    /// If a component may use key-value stores on disk, their file is opened now. One host at a time uses a state folder
    /// with stores: this blocks for as long as [`HostOptions::state_patience`] while another does.
    ///
    /// # Errors
    ///
    /// When a variable is missing, a setting names an unknown route, the state folder of stores cannot be written or is used by
    /// another host, the file of the stores is broken, the file of extra roots has no certificate, the route table cannot be read, or the engine does not start.
    pub fn new(
        manifest: Manifest,
        settings: Settings,
        options: HostOptions,
    ) -> Result<Self, HostError> {
        let patterns: Vec<&str> = options.patterns.values().map(String::as_str).collect();
        settings.check_routes(&patterns)?;
        let settings = match options.profile {
            HostProfile::Waypost => settings,
            HostProfile::Spin => spin::settings(settings),
        };
        let resolved = manifest.resolve_with_file(|name| std::env::var_os(name))?;
        let code_cache = options.code_cache.clone();
        let outbound = files::outbound(settings.limits.total_outbound_connections);
        let tls = tls(&settings, &options.app_root)?;
        let memory = Arc::new(TotalMemory::new(settings.limits.total_memory));
        let stores = open_stores(&manifest, &settings, &options)?;
        let parts = Assembly {
            stores,
            manifest,
            settings,
            options,
            draft_secret: secret()?.into(),
        };
        let turns = Turns::new();
        let (engine, clock) = engine::build(&parts.pool_size(), &turns)?;
        let linker = linker::build(&engine).map_err(|error| HostError::Engine {
            reason: format!("{error:#}"),
        })?;
        let runtime = |dispatch, metrics| Runtime {
            engine,
            linker,
            code_cache,
            registry: Arc::new(Registry::default()),
            pools: Pools::default(),
            turns,
            metrics,
            memory,
            files: Arc::new(Admission::limited(files::of_handlers())),
            connections: Connections::new(outbound, tls),
            dispatch,
        };
        let app = parts.app(resolved, runtime)?;
        Ok(Self { app, _clock: clock })
    }

    /// Loads every component now, which fills the code cache.
    ///
    /// # Errors
    ///
    /// When components cannot be loaded. The error names all of them, one a line.
    pub async fn load_all(&self) -> Result<(), HostError> {
        let mut faults = Vec::new();
        for component in self.app.loaded_components() {
            if let Err(error) = component.version_now().await {
                faults.push(error.to_string());
            }
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(HostError::Components { faults }),
        }
    }

    /// Compiles the components that the code cache lacks, one after the other, the last changed one first. It loads none.
    /// A request for the component that is being compiled waits; all others are served meanwhile. A component that cannot
    /// be compiled is logged, and again when it is asked for.
    pub async fn compile_all(&self) {
        let mut components: Vec<_> = self.app.loaded_components().collect();
        components.sort_by_cached_key(|component| Reverse(component.changed()));
        for component in components {
            component.compile().await;
        }
    }

    /// Lets the next request for each component check its file for changes. Otherwise a change is noticed within half a
    /// second.
    pub fn look_again(&self) {
        self.app.look_again();
    }

    /// Serves HTTP/1.1 and HTTP/2 on `listener` until `shutdown` resolves.
    ///
    /// Then it accepts no more connections, lets requests in flight finish within the grace period of the settings, closes
    /// the other connections, and ends all instances. Nothing of the host runs when this returns, and the host may serve
    /// again, on one listener at a time.
    ///
    /// # Errors
    ///
    /// When the listener fails permanently.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), HostError> {
        let registry = &self.app.runtime.registry;
        registry.open();
        let result = tokio::select! {
            result = listener::serve(Arc::clone(&self.app), listener, shutdown) => result,
            never = self.tidy() => match never {},
        };
        registry.stop();
        if let Some(cache) = &self.app.cache {
            cache.stop().await;
        }
        self.app.runtime.pools.retire_idle(Duration::ZERO);
        if tokio::time::timeout(LAST_INSTANCES, registry.emptied())
            .await
            .is_err()
        {
            tracing::warn!(instances = registry.live(), "instances did not end in time");
        }
        self.app.runtime.connections.close_idle();
        result.map_err(HostError::Listener)
    }

    /// Again and again, drops instances that have been idle for long, tries to write stores that failed, and gives disk space
    /// back that stores don't need.
    async fn tidy(&self) -> Infallible {
        loop {
            tokio::time::sleep(TIDY_INTERVAL).await;
            self.app.runtime.pools.retire_idle(IDLE);
            if let Some(cache) = &self.app.cache {
                cache.tend();
            }
            self.app.stores.tend().await;
        }
    }

    /// Serves health and metrics on a listener that is not for the public: `/.well-known/waypost/health` says whether the
    /// app accepts requests (503 before [`Host::serve`] and from its `shutdown` on), and `/.well-known/waypost/metrics`
    /// returns the counters in the text format of Prometheus.
    ///
    /// It serves until it is dropped.
    ///
    /// # Errors
    ///
    /// When the listener does not work.
    pub async fn serve_admin(&self, listener: TcpListener) -> Result<(), HostError> {
        let admin = Admin {
            app: Arc::clone(&self.app),
        };
        admin.serve(listener).await.map_err(HostError::Listener)
    }

    /// Returns the key-value stores, for [`HostOptions::stores`] of the host that follows this one.
    pub fn stores(&self) -> Stores {
        self.app.stores.clone()
    }

    /// Returns the number of live instances: those that work, and those kept for the next request.
    pub fn instances(&self) -> usize {
        self.app.runtime.registry.live()
    }
}

/// Returns how components begin TLS with other servers.
fn tls(settings: &Settings, app_root: &Path) -> Result<Tls, HostError> {
    let extra_roots = settings.outbound.extra_roots.as_ref();
    let path = extra_roots.map(|path| app_root.join(path));
    Tls::new(path.as_deref()).map_err(|reason| HostError::ExtraRoots {
        path: path.unwrap_or_default(),
        reason,
    })
}

/// Opens the stores of an app, or takes over those of the host before.
fn open_stores(
    manifest: &Manifest,
    settings: &Settings,
    options: &HostOptions,
) -> Result<Stores, HostError> {
    let limits = &settings.limits.stores;
    if let Some(stores) = &options.stores {
        return Ok(stores.with_limits(limits));
    }
    // What the host does itself needs no store.
    let native = options
        .native_router
        .as_ref()
        .map(|router| &router.component);
    let mut components = manifest.components.iter();
    let are_used = components
        .any(|(id, component)| !component.key_value_stores.is_empty() && native != Some(id));
    if !are_used {
        return Ok(Stores::unused(limits));
    }
    let (storage, folder) = (&options.key_value, &options.state_dir);
    Ok(Stores::open(
        storage,
        folder,
        limits,
        options.state_patience,
    )?)
}

/// Makes a text that cannot be guessed.
fn secret() -> Result<String, HostError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| HostError::Engine {
        reason: format!("the system gives no random numbers: {error}"),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Drop for Host {
    fn drop(&mut self) {
        self.app.runtime.registry.stop();
        if let Some(cache) = &self.app.cache {
            // Components have the cache, so it must not have them.
            cache.door.close();
        }
    }
}
