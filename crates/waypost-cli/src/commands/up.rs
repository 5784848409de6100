//! `waypost up`: build and serve.

mod rebuild;
mod router;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::app::App;
use crate::build::{self, Built};
use crate::cli::{AppArgs, here};
use crate::host::{self, CacheArgs, Configuration, Loading, Manner, Place, Version};
use crate::listen::Listen;
use crate::output;
use crate::scan::Route;
use crate::table;
use router::{Choice, RouterKind};
use waypost_config::{Fault, Faults};

/// Build every route and serve the app
///
/// Builds as `build` does, prints the table of routes, and serves until it is interrupted. Logs go
/// to stderr; `RUST_LOG` filters them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost up                       serve http://127.0.0.1:3000
  cargo waypost up --watch               build again whenever a file changes
  cargo waypost up --listen 127.0.0.1:0  serve on a free port and print it
  cargo waypost up --app ../shop         serve another app
  cargo waypost up --as spin             see how the app does on Spin
  RUST_LOG=debug cargo waypost up        say more")]
pub struct UpArgs {
    /// The address to serve [default: the one in `waypost.toml`, or 127.0.0.1:3000; port 0 takes a free one]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Listen>,
    /// The address to tell health and metrics on, which the public should not reach [default: the one in
    /// `waypost.toml`, or none]
    #[arg(long, value_name = "ADDR")]
    admin: Option<Listen>,
    /// Build again whenever a file of the app changes, and serve what came of it
    #[arg(short, long, conflicts_with = "no_build")]
    watch: bool,
    /// Serve what was built before
    #[arg(long)]
    no_build: bool,
    /// Compile each route for this machine when it is first asked for, instead of all in the background
    #[arg(long)]
    no_compile: bool,
    /// Where key-value data is kept between runs [default: `.waypost` in the app]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArgs,
    /// Serve as another host does, to see how the app does there
    #[arg(long = "as", value_name = "HOST", value_enum, default_value_t = HostName::Waypost)]
    host: HostName,
    /// How the router runs [default: native, unless `router/src/lib.rs` was changed or `--as spin` is given]
    #[arg(long, value_name = "HOW", value_enum)]
    router: Option<RouterKind>,
    #[command(flatten)]
    app: AppArgs,
}

/// A host that an app can be served in the manner of.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum HostName {
    /// This one
    Waypost,
    /// Spin 4.1: its headers and failures, and hardly a limit. Not for the public
    Spin,
}

impl HostName {
    fn manner(self) -> Manner {
        match self {
            HostName::Waypost => Manner::Waypost,
            HostName::Spin => Manner::Spin,
        }
    }
}

/// One app to serve.
pub struct UpCommand {
    app: App,
    listen: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    state_dir: PathBuf,
    cache: CacheArgs,
    build: When,
    loading: Loading,
    manner: Manner,
    router: Option<RouterKind>,
}

enum When {
    First,
    OnChange,
    Never,
}

impl UpArgs {
    pub fn resolve(self) -> anyhow::Result<UpCommand> {
        let app = self.app.find()?;
        let state_dir = match self.state_dir {
            Some(folder) => here()?.join(folder),
            None => app.state_dir(),
        };
        Ok(UpCommand {
            app,
            listen: self.listen.as_ref().map(Listen::resolve).transpose()?,
            admin: self.admin.as_ref().map(Listen::resolve).transpose()?,
            state_dir,
            cache: self.cache,
            build: match (self.no_build, self.watch) {
                (true, _) => When::Never,
                (false, true) => When::OnChange,
                (false, false) => When::First,
            },
            loading: match self.no_compile {
                true => Loading::Lazy,
                false => Loading::Background,
            },
            manner: self.host.manner(),
            router: self.router,
        })
    }
}

impl UpCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let routes = super::scan(&self.app)?;
        router::native(&self.app, self.choice())?;
        // A broken file or a port in use is known now, and not after minutes of building.
        let configuration = Configuration::load(&self.app, &routes)?;
        let address = self.listen.unwrap_or_else(|| configuration.listen());
        let admin = self.admin.or(configuration.admin());
        Faults::refuse_errors(configuration.mount_faults(self.app.root()), output::fault)?;
        let code_cache = self.cache.open()?;
        host::probe(address)?;
        admin.map_or(Ok(()), host::probe)?;
        if let Some(warning) = self.manner_in_public(address) {
            output::fault(&warning);
        }
        let (version, updates) = match self.build {
            When::OnChange => self.watch(routes),
            When::First | When::Never => (self.version(&routes, || {})?, None),
        };
        let place = Place {
            root: self.app.root(),
            state_dir: &self.state_dir,
            code_cache,
            address,
            admin,
            loading: self.loading,
            manner: self.manner,
        };
        host::serve(&place, version, updates)
    }

    fn choice(&self) -> Choice {
        Choice {
            asked: self.router,
            manner: self.manner,
        }
    }

    /// Builds the app, if that is wanted, and shows its table; `in_step` is as [`build::build_telling`] has it.
    fn version(&self, routes: &[Route], in_step: impl FnOnce()) -> anyhow::Result<Version> {
        let built = match self.build {
            When::First | When::OnChange => build::build_telling(&self.app, routes, in_step)?,
            When::Never => build::built(&self.app, routes)?,
        };
        let version = version_of(&self.app, routes, &built, self.choice())?;
        output::print(&table::render(&built.rows()));
        Ok(version)
    }
}

/// What a host has to know of an app that was built. Components that ask for what it lacks are refused: all of them
/// at once.
fn version_of(
    app: &App,
    routes: &[Route],
    built: &Built<'_>,
    choice: Choice,
) -> anyhow::Result<Version> {
    Faults::refuse(built.unmet())?;
    // The build may have added components.
    let configuration = Configuration::load(app, routes)?;
    let native_router = router::native(app, choice)?;
    let size = built.instance_size();
    Ok(Version::new(configuration, routes, size).routed_by(native_router))
}

impl UpCommand {
    /// Warns where others than this machine could ask for more than it has: Spin has hardly a limit.
    fn manner_in_public(&self, address: SocketAddr) -> Option<Fault> {
        let is_public = self.manner == Manner::Spin && !address.ip().is_loopback();
        is_public.then(|| {
            let message = format!(
                "`--as spin` has hardly a limit, and {address} may be reached from elsewhere"
            );
            Fault::warning(message).hint(
                "it is for trying an app: `--listen 127.0.0.1:3000` serves this machine alone",
            )
        })
    }
}
