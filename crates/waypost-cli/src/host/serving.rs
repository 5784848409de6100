//! Serving an app, and the versions of it that come while it is served.

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
    CodeCache, Host, HostError, HostOptions, HostProfile as Manner, InstanceSize, NativeRouter,
};

use super::Configuration;
use super::memory;
use super::signals::Signals;
use crate::component_id::ROUTER;
use crate::failure::Failure;
use crate::output;
use crate::scan::Route;

/// What is logged when `RUST_LOG` does not say.
const DEFAULT_LOG: &str = "info";

/// Where an app is served.
pub struct Place<'a> {
    /// The folder that its files are named from.
    pub root: &'a Path,
    /// What the host keeps between runs, but for compiled code.
    pub state_dir: &'a Path,
    /// Where compiled code is kept.
    pub code_cache: CodeCache,
    pub address: SocketAddr,
    /// Where health and metrics are told, if anywhere.
    pub admin: Option<SocketAddr>,
    pub loading: Loading,
    /// The host that the app seems to run on.
    pub manner: Manner,
}

/// When components are loaded, and compiled if they never were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loading {
    /// All, before it listens.
    Eager,
    /// Each when the first request for it comes, and compiled in the background until then.
    Background,
    /// Each when the first request for it comes.
    Lazy,
}

/// An app as it is at one time, but for the components themselves: a host sees for itself when those change.
pub struct Version {
    configuration: Configuration,
    patterns: BTreeMap<ComponentId, String>,
    instance_size: InstanceSize,
    /// The table of routes, where the host runs the router itself.
    native_router: Option<PathBuf>,
}

impl Version {
    /// Puts together what a host has to know; `instance_size` is what an instance of the largest component takes.
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
        }
    }

    /// The same, where the host runs the router itself if it is given the table of routes.
    pub fn routed_by(self, native_router: Option<PathBuf>) -> Version {
        Version {
            native_router,
            ..self
        }
    }

    /// The same, for a server that soon gives way to the next.
    pub fn with_short_grace(self) -> Version {
        let configuration = self.configuration.with_short_grace();
        Version {
            configuration,
            ..self
        }
    }

    /// Whether a host of this version serves the other as well.
    fn serves(&self, other: &Version) -> bool {
        self.configuration.texts == other.configuration.texts
            && self.patterns == other.patterns
            && self.instance_size == other.instance_size
            && self.native_router == other.native_router
    }

    fn host(&self, place: &Place<'_>) -> anyhow::Result<Host> {
        let mut options = HostOptions::new(place.root, place.state_dir);
        options.patterns = self.patterns.clone();
        options.instance_size = self.instance_size;
        options.profile = place.manner;
        options.code_cache = place.code_cache.clone();
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

/// Fails if nobody can listen on an address, and leaves it free.
///
/// # Errors
///
/// When it is in use, not this machine's, or not allowed.
pub fn probe(address: SocketAddr) -> anyhow::Result<()> {
    TcpListener::bind(address)
        .map(drop)
        .map_err(|error| cannot_listen(address, &error).into())
}

/// Serves an app until it is told to stop by SIGINT or SIGTERM; a second signal stops at once. Versions that come
/// as `updates` take over, one after the other.
///
/// # Errors
///
/// When the host cannot start, or the address cannot be listened on.
pub fn serve(
    place: &Place<'_>,
    version: Version,
    updates: Option<mpsc::Receiver<Version>>,
) -> anyhow::Result<()> {
    log_to_stderr();
    memory::keep_small();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let served = runtime.block_on(serve_versions(place, version, updates));
    // A component may still be compiled, for a client that has left. Dropping the runtime would wait for it.
    runtime.shutdown_background();
    served
}

async fn serve_versions(
    place: &Place<'_>,
    mut version: Version,
    updates: Option<mpsc::Receiver<Version>>,
) -> anyhow::Result<()> {
    let mut host = version.host(place)?;
    if place.loading == Loading::Eager {
        host.load_all().await?;
    }
    // It stays open from one host to the next: connections wait meanwhile, and none is refused.
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
        output::note("Serving the app anew, as its routes or settings changed");
    }
    Ok(())
}

/// What one host after the other is served with.
struct Server<'a> {
    place: &'a Place<'a>,
    signals: Signals,
    updates: Option<mpsc::Receiver<Version>>,
    admin: Option<TcpListener>,
}

impl Server<'_> {
    /// Serves one version with its host; gives the next and its host, or none when it was told to stop.
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
            // The sender goes away without a word only when all of this is dropped.
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
        // When nobody is there to be told, the host has stopped already.
        let _ = stop.send(());
        tokio::select! {
            result = serving => result?,
            error = watched => return Err(error.into()),
            () = self.signals.next() => return Ok(None),
        }
        Ok(next)
    }
}

/// Listens on an address; gives the one that it became.
///
/// By Tokio, which lets a thousand clients wait to be accepted, where the standard library lets a hundred.
async fn listen(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| cannot_listen(address, &error))?;
    let listener = listener.into_std().context("cannot share the address")?;
    let bound = listener.local_addr().context("cannot tell the address")?;
    Ok((listener, bound))
}

fn shared(listener: &TcpListener) -> anyhow::Result<tokio::net::TcpListener> {
    let listener = listener.try_clone().context("cannot share the address")?;
    tokio::net::TcpListener::from_std(listener).context("cannot listen")
}

/// Tells health and metrics for as long as that works.
async fn watched(host: &Host, listener: Option<tokio::net::TcpListener>) -> HostError {
    if let Some(listener) = listener
        && let Err(error) = host.serve_admin(listener).await
    {
        return error;
    }
    std::future::pending().await
}

/// Waits for a version that needs a host of its own, and makes it. A version that cannot be served is told, and the
/// one before goes on.
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
        match update.host(place) {
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

/// Compiles in the background, and never ends, so that nobody takes its end for that of the server.
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
    // A program that calls this library may log already, in its own way.
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
