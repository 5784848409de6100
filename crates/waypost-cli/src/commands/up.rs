//! `waypost up`: build and serve.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::anatomy::Anatomy;
use crate::app::App;
use crate::build;
use crate::cli::{AppArgs, here};
use crate::fault::Faults;
use crate::foreign;
use crate::host::{self, Configuration, InstanceSize, Loading, Manner, Place};
use crate::output;
use crate::scan::Route;
use crate::table;

/// Build every route and serve the app
///
/// Builds as `build` does, prints the table of routes, and serves until it is interrupted. Logs go
/// to stderr; `RUST_LOG` filters them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost up                       serve http://127.0.0.1:3000
  cargo waypost up --listen 127.0.0.1:0  serve on a free port and print it
  cargo waypost up --app ../shop         serve another app
  cargo waypost up --as spin             see how the app does on Spin
  RUST_LOG=debug cargo waypost up        say more")]
pub struct UpArgs {
    /// The address to serve [default: the one in `waypost.toml`, or 127.0.0.1:3000; port 0 takes a free one]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// The address to tell health and metrics on, which the public should not reach [default: the one in
    /// `waypost.toml`, or none]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    admin: Option<SocketAddr>,
    /// Serve what was built before
    #[arg(long)]
    no_build: bool,
    /// Where compiled code and key-value data are kept between runs [default: `.waypost` in the app]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Serve as another host does, to see how the app does there
    #[arg(long = "as", value_name = "HOST", value_enum, default_value_t = HostName::Waypost)]
    host: HostName,
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

/// Reads an address to listen on.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port, as 127.0.0.1:3000".to_owned())
}

/// One app to serve.
pub struct UpCommand {
    app: App,
    listen: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    state_dir: PathBuf,
    build: When,
    manner: Manner,
}

enum When {
    First,
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
            listen: self.listen,
            admin: self.admin,
            state_dir,
            build: if self.no_build {
                When::Never
            } else {
                When::First
            },
            manner: self.host.manner(),
        })
    }
}

impl UpCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let routes = super::scan(&self.app)?;
        // A broken file or a port in use is known now, and not after minutes of building.
        let configuration = Configuration::load(&self.app, &routes)?;
        let address = self.listen.unwrap_or_else(|| configuration.listen());
        let admin = self.admin.or(configuration.admin());
        host::probe(address)?;
        admin.map_or(Ok(()), host::probe)?;
        let rows = match self.build {
            When::First => build::build(&self.app, &routes)?,
            When::Never => build::built(&self.app, &routes)?,
        };
        let instance_size = self.instance_size(&routes)?;
        // The build may have added components.
        let configuration = Configuration::load(&self.app, &routes)?;
        output::print(&table::render(&rows));
        let place = Place {
            root: self.app.root(),
            state_dir: &self.state_dir,
            address,
            admin,
            loading: Loading::Lazy,
            instance_size,
            manner: self.manner,
        };
        host::serve(place, configuration, &routes)
    }
}

impl UpCommand {
    /// What an instance of the largest component takes. Components that ask for interfaces that the host lacks
    /// are refused: all of them, before it listens.
    fn instance_size(&self, routes: &[Route]) -> anyhow::Result<InstanceSize> {
        let mut faults = Vec::new();
        let mut size = InstanceSize::default();
        for (route, file) in build::components(&self.app, routes)? {
            let anatomy = Anatomy::read(&file)?;
            faults.extend(foreign::unmet(route, &anatomy.imports));
            size = larger(size, anatomy.instance_size());
        }
        Faults::refuse(faults)?;
        Ok(size)
    }
}

fn larger(one: InstanceSize, other: InstanceSize) -> InstanceSize {
    InstanceSize {
        core_instances: one.core_instances.max(other.core_instances),
        memories: one.memories.max(other.memories),
        tables: one.tables.max(other.tables),
    }
}
