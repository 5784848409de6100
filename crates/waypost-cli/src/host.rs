//! The one place that knows the embedded host: its configuration, and serving.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;
pub use waypost_host::InstanceSize;
pub use waypost_host::Manner;
pub use waypost_host::is_offered;
use waypost_host::{Component, ComponentId, Host, HostOptions, Manifest, ManifestErrors, Settings};

use crate::app::App;
use crate::component_id::ROUTER;
use crate::environment::Environments;
use crate::failure::Failure;
use crate::fault::{Fault, Faults};
use crate::output;
use crate::scan::Route;
use crate::sync::Plan;

/// What is logged when `RUST_LOG` does not say.
const DEFAULT_LOG: &str = "info";

/// The address of whatever has no `waypost.toml`.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// How many memories a single component's requests may take at once: half of what the host has room for, since
/// an instance that ends overlaps with the one that follows.
const MOST_MEMORIES: usize = 5_000;

/// Where an app is served.
pub struct Place<'a> {
    /// The folder that its files are named from.
    pub root: &'a Path,
    /// What the host keeps between runs.
    pub state_dir: &'a Path,
    pub address: SocketAddr,
    /// Where health and metrics are told, if anywhere.
    pub admin: Option<SocketAddr>,
    pub loading: Loading,
    pub instance_size: InstanceSize,
    /// The host that the app seems to run on.
    pub manner: Manner,
}

/// When components are loaded, and compiled if they never were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loading {
    /// All, before it listens.
    Eager,
    /// Each when the first request for it comes.
    Lazy,
}

/// What an app's `spin.toml` and `waypost.toml` say.
pub struct Configuration {
    manifest: Manifest,
    settings: Settings,
}

impl Configuration {
    /// Reads both files, `spin.toml` as a build would leave it: what a person wrote counts, and the
    /// entries of routes that were never built are not missed.
    ///
    /// # Errors
    ///
    /// With all faults of both at once, among them settings for a route that is not in `routes`.
    pub fn load(app: &App, routes: &[Route]) -> Result<Configuration, Faults> {
        let mut faults = Vec::new();
        let manifest = manifest(app, routes)
            .map_err(|errors| faults.extend(name_file("spin.toml", errors.faults())));
        let patterns: Vec<String> = routes
            .iter()
            .map(|route| route.pattern().to_string())
            .collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let settings = Settings::load(&app.waypost_toml())
            .and_then(|settings| settings.check_routes(&patterns).map(|()| settings))
            .map_err(|errors| faults.extend(name_file("waypost.toml", errors.faults())));
        match (manifest, settings) {
            (Ok(manifest), Ok(settings)) => Ok(Configuration { manifest, settings }),
            (Err(()), _) | (_, Err(())) => Err(Faults::of(faults)),
        }
    }

    /// Makes the configuration of a single component, which may send requests to the places in `allow`. It
    /// gets what all routes of an app together would get, as far as the address space has room for `size`.
    ///
    /// # Errors
    ///
    /// When a place is none that a component can be granted.
    pub fn of_component(
        file: &Path,
        allow: &[String],
        size: InstanceSize,
    ) -> Result<Configuration, Faults> {
        let manifest = manifest_of_component(file, allow);
        let manifest = Manifest::parse(&manifest, Path::new("spin.toml")).map_err(|errors| {
            let faults = errors
                .faults()
                .iter()
                .map(|fault| Fault::error(fault.kind().to_string()));
            Faults::of(faults.collect())
        })?;
        let mut settings = Settings::default();
        let limits = &mut settings.limits;
        let memories = size.memories.max(1);
        limits.concurrency = limits.concurrency.min(MOST_MEMORIES / memories).max(1);
        limits.route_concurrency = limits.concurrency;
        let memories = u64::try_from(memories).unwrap_or(u64::MAX);
        limits.memory = limits.memory.saturating_mul(memories);
        Ok(Configuration { manifest, settings })
    }

    /// The environment of each component that has one.
    pub fn environments(&self) -> Environments {
        let components = self.manifest.components.iter();
        components
            .filter(|(_, component)| !component.environment.is_empty())
            .map(|(id, component)| (id.to_string(), component.environment.clone()))
            .collect()
    }

    /// Says what the app's files have that one component of WASI HTTP does not get.
    pub fn lost_in_a_composition(&self) -> Vec<Fault> {
        let of = |has: fn(&Component) -> bool| {
            let components = self.manifest.components.iter();
            let handlers = components.filter(|(id, _)| id.as_str() != ROUTER);
            let having = handlers.filter(|(_, component)| has(component));
            having.map(|(id, _)| format!("`{id}`")).collect::<Vec<_>>()
        };
        let lost = [
            (
                "files",
                of(|component| !component.files.is_empty()),
                "build them in with `include_str!`, or serve the app with `cargo waypost up` or Spin",
            ),
            (
                "variables",
                of(Component::has_variables),
                "give them as `environment`, or serve the app with `cargo waypost up` or Spin",
            ),
            (
                "allowed_outbound_hosts",
                of(Component::has_outbound_hosts),
                "all routes may ask what the host of the composition lets it ask",
            ),
        ];
        let lost = lost.into_iter().filter(|(_, ids, _)| !ids.is_empty());
        let mut warnings: Vec<Fault> = lost
            .map(|(name, ids, hint)| {
                let message = format!(
                    "a composition has no `{name}`, as here for {}",
                    ids.join(", ")
                );
                Fault::warning(message).file("spin.toml").hint(hint)
            })
            .collect();
        let own = Settings::default();
        if self.settings.limits != own.limits || self.settings.server != own.server {
            let message = "a composition has no limits and no settings of a server";
            let hint = "set them where it is served; `cargo waypost serve` has the default limits";
            warnings.push(Fault::warning(message).file("waypost.toml").hint(hint));
        }
        warnings
    }

    /// The address for those who watch the app, unless the command line names one.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.settings.server.admin
    }

    /// The address to listen on, unless the command line names one.
    pub fn listen(&self) -> SocketAddr {
        self.settings.server.listen
    }
}

fn manifest(app: &App, routes: &[Route]) -> Result<Manifest, ManifestErrors> {
    let file = app.spin_toml();
    Manifest::load(&file).or_else(|errors| {
        // The faults that are told are those of the file as it is, with its lines.
        let plan = Plan::of_manifests(app, routes).ok();
        let planned = plan.as_ref().and_then(|plan| plan.text_of(&file));
        planned
            .and_then(|text| Manifest::parse(text, &file).ok())
            .ok_or(errors)
    })
}

/// The manifest that a person would write to serve one component.
fn manifest_of_component(file: &Path, allow: &[String]) -> String {
    let source = toml_edit::Value::from(file.display().to_string());
    let allow = toml_edit::Value::from_iter(allow);
    format!(
        r#"spin_manifest_version = 2

[application]
name = "app"

[[trigger.http]]
route = "/..."
component = "app"

[component.app]
source = {source}
allowed_outbound_hosts = {allow}
"#
    )
}

fn name_file(file: &str, faults: &[waypost_host::Fault]) -> Vec<Fault> {
    let name = |fault: &waypost_host::Fault| {
        let place = match fault.line() {
            Some(line) => format!("{file}:{line}"),
            None => file.to_owned(),
        };
        let named = Fault::error(fault.kind().to_string()).file(place);
        match fault.hint() {
            Some(hint) => named.hint(hint),
            None => named,
        }
    };
    faults.iter().map(name).collect()
}

/// Fails if nobody can listen on an address, and leaves it free.
///
/// # Errors
///
/// When it is in use, not this machine's, or not allowed.
pub fn probe(address: SocketAddr) -> anyhow::Result<()> {
    std::net::TcpListener::bind(address)
        .map(drop)
        .map_err(|error| cannot_listen(address, &error).into())
}

/// Serves an app until it is told to stop by SIGINT or SIGTERM; a second signal stops at once.
///
/// # Errors
///
/// When the host cannot start, or the address cannot be listened on.
pub fn serve(
    place: Place<'_>,
    configuration: Configuration,
    routes: &[Route],
) -> anyhow::Result<()> {
    log_to_stderr();
    let address = place.address;
    let mut options = HostOptions::new(place.root, place.state_dir);
    options.patterns = patterns(routes);
    options.instance_size = place.instance_size;
    options.manner = place.manner;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let served = runtime.block_on(async {
        let host = Host::new(configuration.manifest, configuration.settings, options)?;
        if place.loading == Loading::Eager {
            host.load_all().await?;
        }
        let (listener, bound) = listen(address).await?;
        let admin = match place.admin {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let mut signals = Signals::new().context("cannot wait for signals")?;
        if let Some((_, bound)) = &admin {
            output::print(&format!(
                "Health and metrics on http://{bound}/.well-known/waypost/\n"
            ));
        }
        output::print(&format!("Listening on http://{bound}\n"));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = host.serve(listener, async {
            // The sender goes away without a word only when all of this is dropped.
            let _ = stopped.await;
        });
        let watched = async {
            match admin {
                Some((listener, _)) => host.serve_admin(listener).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = watched => Ok(result?),
            result = serving => Ok(result?),
            () = stop_on_signals(&mut signals, stop) => Ok(()),
        }
    });
    // A component may still be compiled, for a client that has left. Dropping the runtime would wait for it.
    runtime.shutdown_background();
    served
}

async fn listen(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| cannot_listen(address, &error))?;
    let bound = listener.local_addr().context("cannot tell the address")?;
    Ok((listener, bound))
}

/// Asks for a graceful end on the first signal, and returns on the second.
async fn stop_on_signals(signals: &mut Signals, stop: oneshot::Sender<()>) {
    signals.next().await;
    tracing::info!("stopping: no new connections, requests in flight may finish");
    // When nobody is there to be told, the host has stopped already.
    let _ = stop.send(());
    signals.next().await;
}

fn patterns(routes: &[Route]) -> BTreeMap<ComponentId, String> {
    routes
        .iter()
        .filter_map(|route| {
            let id = route.id().as_str().parse().ok()?;
            Some((id, route.pattern().to_string()))
        })
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

/// The signals that ask a server to stop.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {})
    }

    async fn next(&mut self) {
        // Where Ctrl-C cannot be waited for, the process is ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
