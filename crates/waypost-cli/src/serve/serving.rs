//! Serves an app, and replaces it by its next versions while it is served.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::pin;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};
use tracing_subscriber::EnvFilter;
use waypost_config::ComponentId;
use waypost_host::{
    Cached, CodeCache, Host, HostError, HostOptions, HostProfile, InstanceSize, NativeRouter,
    Stores,
};

use super::Configuration;
use super::memory;
use super::signals::Signals;
use crate::component_id::ROUTER;
use crate::failure::Failure;
use crate::output;
use crate::route::Route;

/// The log filter without `RUST_LOG`.
const DEFAULT_LOG: &str = "info";

/// Where and how an app is served.
pub struct Place<'a> {
    /// The folder that relative paths of its files start from.
    pub root: &'a Path,
    /// The folder for data that the host keeps between runs.
    pub state_dir: &'a Path,
    /// Where compiled code is kept.
    pub code_cache: CodeCache,
    pub address: SocketAddr,
    /// The address for health and metrics, if there is one.
    pub admin: Option<SocketAddr>,
    pub loading: Loading,
    /// The host whose behaviour is imitated.
    pub profile: HostProfile,
}

/// When components are loaded, and compiled if they are not in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loading {
    /// All of them, before the host listens.
    Eager,
    /// Each at its first request; meanwhile they are compiled in the background.
    Background,
    /// Each at its first request.
    Lazy,
}

/// A version of an app: its settings and routes. The components are not part of it, because the host reloads those
/// when their files change.
pub struct Version {
    configuration: Configuration,
    patterns: BTreeMap<ComponentId, String>,
    instance_size: InstanceSize,
    /// The table of routes, if the built-in router is used.
    native_router: Option<PathBuf>,
    cached: Cached,
}

impl Version {
    /// Creates a version. `instance_size` is the size of an instance of the largest component.
    pub fn new(
        configuration: Configuration,
        routes: &[Route],
        instance_size: InstanceSize,
    ) -> Version {
        Version {
            configuration,
            patterns: patterns(routes),
            instance_size,
            native_router: None,
            cached: Cached::ByPolicy,
        }
    }

    /// Uses the built-in router with this table of routes, or the router component if it is `None`.
    pub fn routed_by(self, native_router: Option<PathBuf>) -> Version {
        Version {
            native_router,
            ..self
        }
    }

    /// Prepares for development: the grace period is short, because the server is soon replaced by the next one, and no
    /// response is cached.
    pub fn in_development(self) -> Version {
        let configuration = self.configuration.with_short_grace();
        Version {
            configuration,
            cached: Cached::Never,
            ..self
        }
    }

    /// Returns whether a host of this version also serves the other.
    fn serves(&self, other: &Version) -> bool {
        self.configuration.texts == other.configuration.texts
            && self.patterns == other.patterns
            && self.instance_size == other.instance_size
            && self.native_router == other.native_router
    }

    /// Makes a host of this version, which takes over the `stores` of the host before it.
    fn host(&self, place: &Place<'_>, stores: Option<Stores>) -> anyhow::Result<Host> {
        let mut options = HostOptions::new(place.root, place.state_dir);
        options.patterns = self.patterns.clone();
        options.cached = self.cached;
        options.instance_size = self.instance_size;
        options.profile = place.profile;
        options.code_cache = place.code_cache.clone();
        options.stores = stores;
        options.native_router = self.native_router.clone().and_then(native_router);
        let manifest = self.configuration.manifest.clone();
        let settings = self.configuration.settings.clone();
        Ok(Host::new(manifest, settings, options)?)
    }
}

fn native_router(routes: PathBuf) -> Option<NativeRouter> {
    let component = ROUTER.parse().ok()?;
    Some(NativeRouter { component, routes })
}

/// Checks that the address can be listened on, and leaves it free.
///
/// # Errors
///
/// When it is in use, is not an address of this machine, or is not permitted.
pub fn probe(address: SocketAddr) -> anyhow::Result<()> {
    TcpListener::bind(address)
        .map(drop)
        .map_err(|error| cannot_listen(address, &error).into())
}

/// Serves an app until SIGINT or SIGTERM; a second signal stops at once. Each version received from `updates`
/// replaces the one before.
///
/// # Errors
///
/// When the host cannot start or listen on the address.
pub fn serve(
    place: &Place<'_>,
    version: Version,
    updates: Option<mpsc::Receiver<Version>>,
) -> anyhow::Result<()> {
    log_to_stderr();
    memory::keep_small();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let served = runtime.block_on(serve_versions(place, version, updates));
    // Dropping the runtime would wait for a component that is still being compiled.
    runtime.shutdown_background();
    served
}

async fn serve_versions(
    place: &Place<'_>,
    mut version: Version,
    updates: Option<mpsc::Receiver<Version>>,
) -> anyhow::Result<()> {
    let mut host = version.host(place, None)?;
    if place.loading == Loading::Eager {
        host.load_all().await?;
    }
    // The listener stays open from one host to the next, so connections wait and none is refused.
    let (listener, bound) = listen(place.address).await?;
    let admin = match place.admin {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    if let Some((_, bound)) = &admin {
        output::print(&format!(
            "Health and metrics on http://{bound}/.well-known/waypost/\n"
        ));
    }
    let mut server = Server {
        place,
        signals: Signals::new().context("cannot wait for signals")?,
        updates,
        admin: admin.map(|(listener, _)| listener),
    };
    output::print(&format!("Listening on http://{bound}\n"));
    while let Some(next) = server.serve(&host, &version, &listener).await? {
        (host, version) = next;
        output::note("Restarting the server, because routes or settings changed");
    }
    Ok(())
}

/// The parts that all hosts of the process share.
struct Server<'a> {
    place: &'a Place<'a>,
    signals: Signals,
    updates: Option<mpsc::Receiver<Version>>,
    admin: Option<TcpListener>,
}

impl Server<'_> {
    /// Serves one version with its host. Returns the next version and its host, or `None` after a signal to stop.
    async fn serve(
        &mut self,
        host: &Host,
        version: &Version,
        listener: &TcpListener,
    ) -> anyhow::Result<Option<(Host, Version)>> {
        let listener = shared(listener)?;
        let admin = self.admin.as_ref().map(shared).transpose()?;
        let mut watched = pin!(watched(host, admin));
        let (stop, stopped) = oneshot::channel::<()>();
        let mut serving = pin!(host.serve(listener, async {
            // The sender is dropped without a message only when all of this is dropped.
            let _ = stopped.await;
        }));
        let next = tokio::select! {
            result = &mut serving => return Ok(result.map(|()| None)?),
            error = &mut watched => return Err(error.into()),
            () = self.signals.next() => None,
            next = next(self.place, host, version, self.updates.as_mut()) => Some(next),
        };
        if next.is_none() {
            tracing::info!("stopping: no new connections, requests in flight may finish");
        }
        // If the receiver is gone, the host has stopped already.
        let _ = stop.send(());
        tokio::select! {
            result = serving => result?,
            error = watched => return Err(error.into()),
            () = self.signals.next() => return Ok(None),
        }
        Ok(next)
    }
}

/// Listens on an address, and returns the bound one.
///
/// Tokio's backlog is 1,024 connections, that of the standard library 128.
async fn listen(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| cannot_listen(address, &error))?;
    let listener = listener.into_std().context("cannot share the address")?;
    let bound = listener
        .local_addr()
        .context("cannot read the bound address")?;
    Ok((listener, bound))
}

fn shared(listener: &TcpListener) -> anyhow::Result<tokio::net::TcpListener> {
    let listener = listener.try_clone().context("cannot share the address")?;
    tokio::net::TcpListener::from_std(listener).context("cannot listen")
}

/// Serves health and metrics until that fails.
async fn watched(host: &Host, listener: Option<tokio::net::TcpListener>) -> HostError {
    if let Some(listener) = listener
        && let Err(error) = host.serve_admin(listener).await
    {
        return error;
    }
    std::future::pending().await
}

/// Waits for a version that needs a new host, and creates it. A version that cannot be served is reported, and the
/// one before stays.
async fn next(
    place: &Place<'_>,
    host: &Host,
    version: &Version,
    mut updates: Option<&mut mpsc::Receiver<Version>>,
) -> (Host, Version) {
    loop {
        let update = tokio::select! {
            update = received(updates.as_deref_mut()) => update,
            never = compile(place, host) => never,
        };
        if version.serves(&update) {
            host.look_again();
            continue;
        }
        match update.host(place, Some(host.stores())) {
            Ok(host) => return (host, update),
            Err(error) => output::error(&error),
        }
    }
}

async fn received(updates: Option<&mut mpsc::Receiver<Version>>) -> Version {
    let update = match updates {
        Some(updates) => updates.recv().await,
        None => None,
    };
    match update {
        Some(update) => update,
        None => std::future::pending().await,
    }
}

/// Compiles in the background, and never returns, because a `select!` would take that for the end of the server.
async fn compile<T>(place: &Place<'_>, host: &Host) -> T {
    if place.loading == Loading::Background {
        host.compile_all().await;
    }
    std::future::pending().await
}

fn patterns(routes: &[Route]) -> BTreeMap<ComponentId, String> {
    routes
        .iter()
        .map(|route| (route.id().clone(), route.pattern().to_string()))
        .collect()
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A program that uses this library may have set up logging already.
    let _ = subscriber.try_init();
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => Failure::new(format!("port {port} is in use ({address})"))
            .hint("stop what listens there, or choose another port: `--listen 127.0.0.1:0` takes a free one"),
        ErrorKind::PermissionDenied => Failure::new(format!("not allowed to listen on {address}"))
            .hint("ports below 1024 belong to the system: choose another with `--listen`"),
        ErrorKind::AddrNotAvailable => Failure::new(format!("{address} is not an address of this machine"))
            .hint("`--listen 127.0.0.1:3000` serves this machine, `0.0.0.0:3000` the network too"),
        _ => Failure::new(format!("cannot listen on {address}: {error}")),
    }
}
