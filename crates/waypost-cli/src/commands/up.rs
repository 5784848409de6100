//! `waypost up`: builds and serves an app.

mod rebuild;
mod router;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::app::App;
use crate::build::{self, Built};
use crate::cli::{AppArgs, here};
use crate::listen::Listen;
use crate::output;
use crate::route::Route;
use crate::serve::{self, CacheArgs, Configuration, HostProfile, Loading, Place, Version};
use crate::table;
use router::{Choice, RouterKind};
use waypost_config::{Fault, Faults};

/// Build every route and serve the app
///
/// Builds as `build` does, prints the table of routes, and serves until it is interrupted. Logs go to stderr;
/// `RUST_LOG` filters them.
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
    /// The address to listen on [default: the one in `waypost.toml`, or 127.0.0.1:3000; port 0 takes a free one]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Listen>,
    /// The address for health and metrics, which should not be public [default: the one in `waypost.toml`, or none]
    #[arg(long, value_name = "ADDR")]
    admin: Option<Listen>,
    /// Build again whenever a file of the app changes, and serve the result
    #[arg(short, long, conflicts_with = "no_build")]
    watch: bool,
    /// Serve the last build
    #[arg(long)]
    no_build: bool,
    /// Compile each route for this machine at its first request, instead of all in the background
    #[arg(long)]
    no_compile: bool,
    /// The folder for key-value data that is kept between runs [default: `.waypost` in the app]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArgs,
    /// Imitate another host, to see how the app behaves there
    #[arg(long = "as", value_name = "HOST", value_enum, default_value_t = HostName::Waypost)]
    host: HostName,
    /// How the router runs [default: native, unless `router/src/lib.rs` was changed or `--as spin` is given]
    #[arg(long, value_name = "HOW", value_enum)]
    router: Option<RouterKind>,
    #[command(flatten)]
    app: AppArgs,
}

/// A host that can be imitated.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum HostName {
    /// Waypost's own host
    Waypost,
    /// Spin 4.1: its headers and failures, and hardly any limits. Not for public addresses
    Spin,
}

impl HostName {
    fn profile(self) -> HostProfile {
        match self {
            HostName::Waypost => HostProfile::Waypost,
            HostName::Spin => HostProfile::Spin,
        }
    }
}

/// An app to serve.
pub struct UpCommand {
    app: App,
    listen: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    state_dir: PathBuf,
    cache: CacheArgs,
    build: When,
    loading: Loading,
    profile: HostProfile,
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
            profile: self.host.profile(),
            router: self.router,
        })
    }
}

impl UpCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let routes = super::scan(&self.app)?;
        router::native(&self.app, self.choice())?;
        // Report an invalid file or a port in use now, not after minutes of building.
        let configuration = Configuration::load(&self.app, &routes)?;
        let address = self.listen.unwrap_or_else(|| configuration.listen());
        let admin = self.admin.or(configuration.admin());
        let mut faults = configuration.mount_faults(self.app.root());
        faults.extend(configuration.useless_grants());
        Faults::refuse_errors(faults, output::fault)?;
        let code_cache = self.cache.open()?;
        serve::probe(address)?;
        admin.map_or(Ok(()), serve::probe)?;
        if let Some(warning) = self.profile_in_public(address) {
            output::fault(&warning);
        }
        let (version, updates) = match self.build {
            When::OnChange => self.watch(routes),
            When::First | When::Never => (self.version(&routes, |_| {})?.0, None),
        };
        let place = Place {
            root: self.app.root(),
            state_dir: &self.state_dir,
            code_cache,
            address,
            admin,
            loading: self.loading,
            profile: self.profile,
        };
        serve::serve(&place, version, updates)
    }

    fn choice(&self) -> Choice {
        Choice {
            asked: self.router,
            profile: self.profile,
        }
    }

    /// Builds the app unless `--no-build` is given, and prints its table. `written` is passed to
    /// [`build::build_telling`].
    fn version(
        &self,
        routes: &[Route],
        written: impl FnMut(&[&str]),
    ) -> anyhow::Result<(Version, BTreeSet<PathBuf>)> {
        let built = match self.build {
            When::First | When::OnChange => build::build_telling(&self.app, routes, written)?,
            When::Never => build::built(&self.app, routes)?,
        };
        let version = version_of(&self.app, routes, &built, self.choice())?;
        output::print(&table::render(&built.rows()));
        Ok((version, built.inputs().clone()))
    }
}

/// Returns the version of an app that was built. Refuses components that import interfaces which Waypost's host does
/// not offer, with all of them at once.
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
    /// Warns if Spin is imitated on a public address, because it has hardly any limits.
    fn profile_in_public(&self, address: SocketAddr) -> Option<Fault> {
        let is_public = self.profile == HostProfile::Spin && !address.ip().is_loopback();
        is_public.then(|| {
            let message = format!(
                "`--as spin` has hardly any limits, and {address} can be reached from other machines"
            );
            Fault::warning(message).hint(
                "use it to try an app: `--listen 127.0.0.1:3000` serves only this machine",
            )
        })
    }
}
