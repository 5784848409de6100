//! `waypost doctor`: which tools are installed, what the app needs, and which hosts can serve it.

use std::path::PathBuf;

use waypost_config::Faults;

use crate::app::App;
use crate::cli::{AppArgs, here};
use crate::doctor::{Report, text};
use crate::output;

/// Show which tools are installed, and which hosts can serve the app
///
/// Asks each tool for its version, reads the components of the app, and shows for each host whether it can
/// serve them, and what to do if it can't. Builds and changes nothing; outside an app it shows only the tools. Fails
/// only if a tool is missing that every build needs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost doctor             examine this machine and the app here
  cargo waypost doctor --app shop  examine the app in `shop`
  cargo waypost doctor --json | jq '.hosts[] | select(.verdict == \"no\")'")]
pub struct DoctorArgs {
    /// Print JSON: an object with `tools`, `app` (null outside an app) and `hosts`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    app: AppArgs,
}

/// An examination of this machine, and of an app if there is one.
pub struct DoctorCommand {
    app: Option<App>,
    folder: PathBuf,
    is_json: bool,
}

impl DoctorArgs {
    /// Finds the app.
    pub fn resolve(self) -> anyhow::Result<DoctorCommand> {
        let app = self.app.find_any()?;
        let folder = match &app {
            Some(app) => app.root().to_owned(),
            None => here()?,
        };
        Ok(DoctorCommand {
            app,
            folder,
            is_json: self.json,
        })
    }
}

impl DoctorCommand {
    /// Prints the report.
    pub fn exec(self) -> anyhow::Result<()> {
        let (report, faults) = Report::of(&self.folder, self.app.as_ref())?;
        output::print(&match self.is_json {
            true => serde_json::to_string_pretty(&report)? + "\n",
            false => text::render(&report),
        });
        Ok(Faults::refuse(faults)?)
    }
}
