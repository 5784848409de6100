//! `waypost check`: look for faults without building anything.

use crate::app::App;
use crate::cli::AppArgs;
use crate::fault::{Fault, Faults};
use crate::host::Configuration;
use crate::output;
use crate::scan::Scan;
use crate::sync::{Plan, SyncError};

/// Check routes and settings without building
///
/// Looks at the folders below `handlers/`, each route's `Cargo.toml`, `spin.toml` and
/// `waypost.toml`, and reports everything that is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost check             check the app here
  cargo waypost check --app shop  check the app in `shop`")]
pub struct CheckArgs {
    #[command(flatten)]
    app: AppArgs,
}

/// A check of one app.
pub struct CheckCommand {
    app: App,
}

impl CheckArgs {
    pub fn resolve(self) -> anyhow::Result<CheckCommand> {
        Ok(CheckCommand {
            app: self.app.find()?,
        })
    }
}

impl CheckCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let scan = Scan::of(&self.app);
        scan.warnings().for_each(output::fault);
        let mut faults: Vec<Fault> = scan.errors().cloned().collect();
        let routes = scan.into_sound_routes();
        if let Err(configuration) = Configuration::load(&self.app, &routes) {
            faults.extend(configuration.iter().cloned());
        }
        match Plan::of_manifests(&self.app, &routes) {
            Ok(plan) => plan.warnings().iter().for_each(|warning| {
                output::fault(&Fault::warning(warning.as_str()));
            }),
            // What is no TOML is told by the configuration, with the line.
            Err(SyncError::Toml { file, .. }) if file == "spin.toml" => {}
            Err(error) => faults.push(Fault::error(error.to_string())),
        }
        Faults::refuse(faults)?;
        output::print(&format!("{}, no faults\n", output::routes(routes.len())));
        Ok(())
    }
}
