//! `waypost build`: compile every route and the router, and keep the app's files in step.

use std::fs;

use crate::app::App;
use crate::build;
use crate::cli::AppArgs;
use crate::failure::Failure;
use crate::output;
use crate::sync::{Plan, out_of_step};

/// Build every route and the router
///
/// Brings the members in `Cargo.toml`, the components in `spin.toml` and `router/routes.txt` in
/// step with the folders, installs the Rust target `wasm32-wasip2` where it is missing, compiles
/// all handlers, and then the router with their table.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost build          build the app here
  cargo waypost build --check  change nothing; fail if a file is out of step (for CI)")]
pub struct BuildArgs {
    /// Build and change nothing, but fail where `Cargo.toml`, `spin.toml` or `router/routes.txt` is out of step
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    app: AppArgs,
}

/// A build of one app, or a look at whether its files are in step.
pub enum BuildCommand {
    Build(App),
    Check(App),
}

impl BuildArgs {
    pub fn resolve(self) -> anyhow::Result<BuildCommand> {
        let app = self.app.find()?;
        Ok(match self.check {
            true => BuildCommand::Check(app),
            false => BuildCommand::Build(app),
        })
    }
}

impl BuildCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        match self {
            BuildCommand::Build(app) => {
                let routes = super::scan(&app)?;
                build::build(&app, &routes).map(drop)
            }
            BuildCommand::Check(app) => check(&app),
        }
    }
}

fn check(app: &App) -> anyhow::Result<()> {
    let routes = super::scan(app)?;
    let plan = Plan::of_manifests(app, &routes)?;
    let mut changes = plan.changes(app);
    // A table that is not there yet lacks all routes.
    let table = fs::read_to_string(app.routes_txt()).unwrap_or_default();
    let differences = out_of_step(&table, &routes);
    changes.extend(
        differences
            .iter()
            .map(|change| format!("router/routes.txt: {change}")),
    );
    if changes.is_empty() {
        output::print(&format!("in step with {}\n", output::routes(routes.len())));
        return Ok(());
    }
    changes.iter().for_each(|change| output::note(change));
    Err(Failure::new("files are out of step with `handlers/`")
        .hint("`cargo waypost build` makes these changes")
        .into())
}
