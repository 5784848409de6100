//! `waypost doctor`: what is installed, what the app needs, and which hosts can serve it.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use toml_edit::DocumentMut;
use waypost_config::{Fault, Faults, read_text_file};

use crate::app::App;
use crate::cli::{AppArgs, here};
use crate::doctor::{AppReport, HostReport, State, Tool, examine, hosts};
use crate::environment::Environments;
use crate::host::Configuration;
use crate::output;
use crate::scan::Scan;

mod text;

/// Tell what is installed, and which hosts can serve the app
///
/// Asks each tool for its version, reads the components of the app, and says for each host whether it can
/// serve them, and what to do where it can't. Builds and changes nothing; outside an app it looks at the
/// machine alone. Fails only where something is missing that no app can be built without.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost doctor             look at this machine and the app here
  cargo waypost doctor --app shop  look at the app in `shop`
  cargo waypost doctor --json | jq '.hosts[] | select(.verdict == \"no\")'")]
pub struct DoctorArgs {
    /// Print JSON: an object with `tools`, `app` (null outside an app) and `hosts`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    app: AppArgs,
}

/// A look at this machine, and at an app where there is one.
pub struct DoctorCommand {
    app: Option<App>,
    folder: PathBuf,
    form: Form,
}

enum Form {
    Text,
    Json,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    tools: Vec<Tool>,
    app: Option<AppReport>,
    hosts: Vec<HostReport>,
}

impl DoctorArgs {
    pub fn resolve(self) -> anyhow::Result<DoctorCommand> {
        let app = self.app.find_any()?;
        let folder = match &app {
            Some(app) => app.root().to_owned(),
            None => here()?,
        };
        Ok(DoctorCommand {
            app,
            folder,
            form: if self.json { Form::Json } else { Form::Text },
        })
    }
}

impl DoctorCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let tools = examine(&self.folder);
        let mut faults: Vec<Fault> = tools.iter().filter_map(needed).collect();
        let mut report = Report {
            tools,
            app: None,
            hosts: Vec::new(),
        };
        if let Some(app) = &self.app {
            faults.extend(report.look_at(app)?);
        }
        output::print(&match self.form {
            Form::Text => text::render(&report),
            Form::Json => serde_json::to_string_pretty(&report)? + "\n",
        });
        Faults::refuse(faults)?;
        Ok(())
    }
}

impl Report {
    /// Adds what an app is; gives the faults of its tree of routes.
    fn look_at(&mut self, app: &App) -> anyhow::Result<Vec<Fault>> {
        let scan = Scan::of(app);
        let faults = scan.errors().cloned().collect();
        let routes = scan.into_sound_routes();
        // A manifest that is no TOML says nowhere that the components are elsewhere; the refusals name it.
        let manifest: DocumentMut = read_text_file(app.spin_toml())
            .context("cannot read `spin.toml`")?
            .parse()
            .unwrap_or_default();
        let (environments, refusals) = match Configuration::load(app, &routes) {
            Ok(configuration) => (configuration.environments(), Vec::new()),
            Err(refusals) => (Environments::new(), refusals.iter().cloned().collect()),
        };
        let components = AppReport::of(app, &routes, &manifest, &environments);
        self.hosts = hosts(&components, &self.tools, &refusals);
        self.app = Some(components);
        Ok(faults)
    }
}

/// The fault of a tool that no app can be built without.
fn needed(tool: &Tool) -> Option<Fault> {
    if !tool.is_needed || tool.state == State::Fine {
        return None;
    }
    let fault = Fault::error(tool.fault.as_deref()?);
    Some(match &tool.advice {
        Some(advice) => fault.hint(advice),
        None => fault,
    })
}
