//! The examination behind `waypost doctor`: the tools on this machine, the components of an app, and the hosts that can
//! serve it.
//!
//! Nothing here builds or changes anything. Programs are asked for their version, components are read; each fault comes
//! with advice.

mod app;
mod hosts;
mod probe;
pub mod text;
mod tools;

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use toml_edit::DocumentMut;
use waypost_config::Fault;

use crate::app::App;
use crate::environment::Environments;
use crate::scan::Scan;
use crate::serve::Configuration;
use app::AppReport;
use hosts::{HostReport, hosts};
use tools::Tool;

/// Everything that was found out.
#[derive(Debug, Serialize)]
pub struct Report {
    tools: Vec<Tool>,
    app: Option<AppReport>,
    hosts: Vec<HostReport>,
}

impl Report {
    /// Examines the tools that are used in `folder`, and the app. Returns the errors apart: missing tools and faults of the
    /// routes.
    ///
    /// # Errors
    ///
    /// When `spin.toml` cannot be read.
    pub fn of(folder: &Path, app: Option<&App>) -> anyhow::Result<(Report, Vec<Fault>)> {
        let tools = tools::examine(folder);
        let mut faults: Vec<Fault> = tools.iter().filter_map(Tool::error).collect();
        let mut report = Report {
            tools,
            app: None,
            hosts: Vec::new(),
        };
        if let Some(app) = app {
            faults.extend(report.examine(app)?);
        }
        Ok((report, faults))
    }

    /// Adds the report of an app, and returns the faults of its routes.
    fn examine(&mut self, app: &App) -> anyhow::Result<Vec<Fault>> {
        let scan = Scan::of(app);
        let faults = scan.errors().cloned().collect();
        let routes = scan.into_sound_routes();
        // A manifest that is not TOML names no other places for components; the refusals report it.
        let manifest: DocumentMut = waypost_config::read_text_file(app.spin_toml())
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
