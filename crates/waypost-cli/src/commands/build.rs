//! `waypost build`: compiles every route and the router, and updates the app's files.

use waypost_config::read_text_file;

use crate::app::App;
use crate::build;
use crate::cli::AppArgs;
use crate::failure::Failure;
use crate::output;
use crate::serve::{CacheArgs, CodeCache};
use crate::sync::{Plan, out_of_step};

/// Build every route and the router
///
/// Updates the members in `Cargo.toml`, the components in `spin.toml` and `router/routes.txt` to match the folders,
/// installs the Rust target `wasm32-wasip2` if it is missing, compiles all handlers, and then the router with their
/// table. New WebAssembly components are then compiled for this machine, so that no request to `up` has to wait for
/// that.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost build               build the app here
  cargo waypost build --check       change nothing; fail if a file is out of step (for CI)
  cargo waypost build --no-compile  make components that are served elsewhere")]
pub struct BuildArgs {
    /// Build and change nothing, but fail if `Cargo.toml`, `spin.toml` or `router/routes.txt` does not match the
    /// folders
    #[arg(long)]
    check: bool,
    /// Do not compile the components for this machine; `up` does so in the background, or at the first request
    #[arg(long)]
    no_compile: bool,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    app: AppArgs,
}

/// A build of an app, or a check of its files.
pub enum BuildCommand {
    Build {
        app: App,
        /// The code cache, or `None` if the components are not compiled for this machine.
        cache: Option<CacheArgs>,
    },
    Check(App),
}

impl BuildArgs {
    pub fn resolve(self) -> anyhow::Result<BuildCommand> {
        let app = self.app.find()?;
        if self.check {
            return Ok(BuildCommand::Check(app));
        }
        Ok(BuildCommand::Build {
            app,
            cache: (!self.no_compile).then_some(self.cache),
        })
    }
}

impl BuildCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        match self {
            BuildCommand::Build { app, cache } => {
                let routes = super::scan(&app)?;
                build::build(&app, &routes)?;
                let cache = cache.map(|cache| cache.open()).transpose()?;
                match cache.filter(CodeCache::is_enabled) {
                    Some(cache) => build::compile_ahead(&app, &routes, cache),
                    None => Ok(()),
                }
            }
            BuildCommand::Check(app) => check(&app),
        }
    }
}

fn check(app: &App) -> anyhow::Result<()> {
    let routes = super::scan(app)?;
    let plan = Plan::of_manifests(app, &routes)?;
    let mut changes = plan.changes(app);
    // A missing table has no routes.
    let table = read_text_file(app.routes_txt()).unwrap_or_default();
    let differences = out_of_step(&table, &routes);
    changes.extend(
        differences
            .iter()
            .map(|change| format!("router/routes.txt: {change}")),
    );
    if changes.is_empty() {
        output::print(&format!("files match {}\n", output::routes(routes.len())));
        return Ok(());
    }
    changes.iter().for_each(|change| output::note(change));
    Err(
        Failure::new("files do not match the folders below `handlers/`")
            .hint("`cargo waypost build` makes these changes")
            .into(),
    )
}
