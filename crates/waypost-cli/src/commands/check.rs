//! `waypost check`: finds faults without building anything.

use waypost_config::{Fault, Faults};

use crate::app::App;
use crate::cli::AppArgs;
use crate::foreign::{self, Depth};
use crate::lock;
use crate::output;
use crate::parallel;
use crate::route::{Route, RouteKind};
use crate::scan::Scan;
use crate::serve::Configuration;
use crate::sync::{Plan, SyncError};

/// Check routes and settings without building
///
/// Reads the folders below `handlers/`, each route's `Cargo.toml` or `route.wasm`, `spin.toml` and `waypost.toml`,
/// and reports all faults.
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
        faults.extend(self.components(&routes));
        match lock::packages(&self.app) {
            Ok(packages) => lock::ambiguous(&routes, &packages)
                .iter()
                .for_each(output::fault),
            Err(error) => faults.push(Fault::error(format!("{error:#}"))),
        }
        match Configuration::load(&self.app, &routes) {
            Ok(configuration) => {
                faults.extend(configuration.mount_faults(self.app.root()));
                faults.extend(configuration.useless_grants());
            }
            Err(refusals) => faults.extend(refusals.iter().cloned()),
        }
        match Plan::of_manifests(&self.app, &routes) {
            Ok(plan) => {
                faults.extend(plan.gone(&self.app));
                plan.warnings().iter().for_each(|warning| {
                    output::fault(&Fault::warning(warning.as_str()));
                });
            }
            // The configuration reports invalid TOML, with the line.
            Err(SyncError::Toml { file, .. }) if file == "spin.toml" => {}
            Err(error) => faults.push(Fault::error(error.to_string())),
        }
        Faults::refuse_errors(faults, output::fault)?;
        output::print(&format!("{}, no faults\n", output::routes(routes.len())));
        Ok(())
    }

    /// Returns the faults of `route.wasm` files. An import that only some hosts offer is a warning.
    fn components(&self, routes: &[Route]) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut components: Vec<&Route> = routes.iter().collect();
        components.retain(|route| route.kind() == RouteKind::Component);
        let verify = |route: &&Route| {
            let file = self.app.root().join(route.file());
            foreign::verify(route, &file, Depth::Whole)
        };
        for (route, found) in components.iter().zip(parallel::map(&components, verify)) {
            match found {
                Ok(found) => foreign::unmet(route, &found.anatomy.imports)
                    .into_iter()
                    .for_each(|fault| output::fault(&fault.as_warning())),
                Err(fault) => faults.push(fault.file(route.file())),
            }
        }
        faults
    }
}
