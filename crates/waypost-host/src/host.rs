//! The host as its users see it.

use crate::admin::Admin;
use crate::app::App;
use crate::assembly::Assembly;
use crate::component::Runtime;
use crate::cpu::{EpochClock, Turns};
use crate::engine;
use crate::error::HostError;
use crate::instances::IDLE;
use crate::key_value::KeyValueStorage;
use crate::linker;
use crate::manner::Manner;
use crate::native_router::NativeRouter;
use crate::registry::Registry;
use crate::server;
use crate::spin;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use waypost_config::{ComponentId, Manifest, Settings};

/// How long instances that were told to end may take: they do at once, unless a guest runs (10 ms).
const LAST_INSTANCES: Duration = Duration::from_secs(1);

/// How often instances are looked for that have waited for too long.
const TIDY_INTERVAL: Duration = Duration::from_secs(1);

/// What a host needs to know beside its manifest and settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostOptions {
    /// Folder of the app.
    pub app_root: PathBuf,
    /// Folder for compiled code and the key-value file, made when missing.
    pub state_dir: PathBuf,
    /// Whether a client reads why a request failed. Not for the public.
    pub development: bool,
    /// Where the key-value stores are kept.
    pub key_value: KeyValueStorage,
    /// What one instance of the largest component takes from the pools. Default: what a route written in Rust takes.
    pub instance_size: InstanceSize,
    /// Pattern of the route of each component that has one, such as `/items/[slug]`: its name in the log,
    /// and in the settings. A component without one goes by its id and has the app's limits.
    pub patterns: BTreeMap<ComponentId, String>,
    /// The host that the app seems to run on. Default: this one.
    pub manner: Manner,
    /// The router that the host itself runs. Default: none; the component with the public address routes. A
    /// router that `spin.toml` does not let reach every route is not replaced, nor is one in the manner of Spin.
    pub native_router: Option<NativeRouter>,
}

/// What one instance of a component takes from the host's pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceSize {
    /// Instances of core modules.
    pub core_instances: usize,
    /// Memories.
    pub memories: usize,
    /// Tables.
    pub tables: usize,
}

/// A Rust component has three core modules (the code, a shim and a fix-up), one memory and two tables.
impl Default for InstanceSize {
    fn default() -> Self {
        Self {
            core_instances: 4,
            memories: 1,
            tables: 4,
        }
    }
}

impl HostOptions {
    /// Makes the options of a host that keeps its state in `state_dir`.
    pub fn new(app_root: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            app_root: app_root.into(),
            state_dir: state_dir.into(),
            development: false,
            instance_size: InstanceSize::default(),
            key_value: KeyValueStorage::default(),
            patterns: BTreeMap::new(),
            manner: Manner::default(),
            native_router: None,
        }
    }
}

/// Runs the components of an app and serves them over HTTP.
pub struct Host {
    app: Arc<App>,
    registry: Arc<Registry>,
    _clock: EpochClock,
}

impl Host {
    /// Makes a host. No component is loaded yet: each is when the first request for it comes.
    ///
    /// Variables of the manifest are read from the environment (`SPIN_VARIABLE_<NAME>`), as in Spin.
    ///
    /// # Errors
    ///
    /// When a variable is missing, a setting names no route, the state folder cannot be written, the table of
    /// routes cannot be read, or the engine does not start.
    pub fn new(
        manifest: Manifest,
        settings: Settings,
        options: HostOptions,
    ) -> Result<Self, HostError> {
        let patterns: Vec<&str> = options.patterns.values().map(String::as_str).collect();
        settings.check_routes(&patterns)?;
        let settings = match options.manner {
            Manner::Waypost => settings,
            Manner::Spin => spin::settings(settings),
        };
        let resolved = manifest.resolve(|name| std::env::var_os(name))?;
        let cache = engine::open_cache(&engine::cache_dir(&options.state_dir))?;
        let parts = Assembly {
            manifest,
            settings,
            options,
            draft_secret: secret()?,
        };
        let turns = Turns::new();
        let (engine, clock) = engine::build(&parts.pool_size(), &cache, &turns)?;
        let linker = linker::build(&engine).map_err(|error| HostError::Engine {
            reason: format!("{error:#}"),
        })?;
        let registry = Arc::new(Registry::default());
        let runtime = Arc::new(Runtime {
            engine,
            linker,
            registry: Arc::clone(&registry),
            turns,
        });
        let app = parts.app(resolved, &runtime)?;
        Ok(Self {
            app,
            registry,
            _clock: clock,
        })
    }

    /// Loads every component now, and so fills the code cache; without it each is loaded when the first
    /// request for it comes.
    ///
    /// # Errors
    ///
    /// When components cannot be loaded: all of them, one a line.
    pub async fn load_all(&self) -> Result<(), HostError> {
        let mut faults = Vec::new();
        for component in self.app.loaded_components() {
            if let Err(error) = component.instances_now().await {
                faults.push(error.to_string());
            }
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(HostError::Components { faults }),
        }
    }

    /// Compiles what the code cache lacks, one component after the other, what changed last first. Nothing stays
    /// loaded. A request for the component that is compiled just now waits for that one; all others are served
    /// meanwhile. What cannot be compiled is logged, and again when it is asked for.
    pub async fn compile_all(&self) {
        let mut components: Vec<_> = self.app.loaded_components().collect();
        components.sort_by_cached_key(|component| Reverse(component.changed()));
        for component in components {
            component.compile().await;
        }
    }

    /// Has each component's file looked at again by the next request for it. Without it a change is seen within
    /// half a second.
    pub fn look_again(&self) {
        self.app.look_again();
    }

    /// Serves HTTP/1.1 and HTTP/2 on `listener` until `shutdown` resolves.
    ///
    /// Then it accepts no more connections, lets requests in flight finish for the grace period of the
    /// settings, cuts what is left, and ends all instances. Nothing of the host runs when it returns, and it
    /// may serve again; on one listener at a time.
    ///
    /// # Errors
    ///
    /// When the listener fails for good.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), HostError> {
        self.registry.open();
        let result = tokio::select! {
            result = server::serve(Arc::clone(&self.app), listener, shutdown) => result,
            never = self.tidy() => match never {},
        };
        self.registry.stop();
        self.app.retire_idle(Duration::ZERO);
        if tokio::time::timeout(LAST_INSTANCES, self.registry.emptied())
            .await
            .is_err()
        {
            tracing::warn!(
                instances = self.registry.live(),
                "instances did not end in time"
            );
        }
        result
    }

    /// Gives memory back that a quiet app does not need.
    async fn tidy(&self) -> Infallible {
        loop {
            tokio::time::sleep(TIDY_INTERVAL).await;
            self.app.retire_idle(IDLE);
        }
    }

    /// Answers those who watch the app, on a listener that is not for the public: `/.well-known/waypost/health` says
    /// whether it takes requests (503 before [`Host::serve`] and from its `shutdown` on), and
    /// `/.well-known/waypost/metrics` what it counted, in the text format of Prometheus.
    ///
    /// It ends when it is dropped.
    ///
    /// # Errors
    ///
    /// When the listener does not work.
    pub async fn serve_admin(&self, listener: TcpListener) -> Result<(), HostError> {
        let admin = Admin {
            app: Arc::clone(&self.app),
            registry: Arc::clone(&self.registry),
        };
        admin.serve(listener).await
    }

    /// Number of instances that are alive: those that work, and those kept for the next request.
    pub fn instances(&self) -> usize {
        self.registry.live()
    }
}

/// Makes a text that nobody can guess.
fn secret() -> Result<String, HostError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| HostError::Engine {
        reason: format!("no random numbers can be had: {error}"),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Drop for Host {
    fn drop(&mut self) {
        self.registry.stop();
    }
}
