//! `waypost routes`: prints the table of routes.

use std::path::Path;

use anyhow::Context as _;
use toml_edit::DocumentMut;
use waypost_config::{Fault, read_text_file};

use crate::app::App;
use crate::cli::AppArgs;
use crate::describe::Description;
use crate::foreign::{self, Depth};
use crate::output;
use crate::route::{Route, RouteKind};
use crate::spin_toml::component_file;
use crate::table::{self, Row};

/// Show the table of routes
///
/// Methods are read from the compiled components; they are shown as `?` if a route is not built, or is a `route.wasm`
/// that handles all methods itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost routes                         the table of the app here
  cargo waypost routes --json | jq '.[].file'  the files, for a program")]
pub struct RoutesArgs {
    /// Print JSON: a list of objects with `pattern`, `methods` (null if unknown), `component` and `file`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    app: AppArgs,
}

/// The table of an app, as text or as JSON.
pub struct RoutesCommand {
    app: App,
    form: Form,
}

enum Form {
    Table,
    Json,
}

impl RoutesArgs {
    pub fn resolve(self) -> anyhow::Result<RoutesCommand> {
        Ok(RoutesCommand {
            app: self.app.find()?,
            form: if self.json { Form::Json } else { Form::Table },
        })
    }
}

impl RoutesCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let routes = super::scan(&self.app)?;
        let manifest = read_text_file(self.app.spin_toml())
            .context("cannot read `spin.toml`")?
            .parse()
            .context("`spin.toml` is not valid TOML")?;
        let rows: Vec<Row> = routes
            .iter()
            .map(|route| Row::new(route, self.methods(&manifest, route)))
            .collect();
        let text = match self.form {
            Form::Table => table::render(&rows),
            Form::Json => serde_json::to_string_pretty(&rows)? + "\n",
        };
        output::print(&text);
        Ok(())
    }

    fn methods(&self, manifest: &DocumentMut, route: &Route) -> Option<Vec<String>> {
        let file = component_file(&self.app, manifest, route);
        if !file.is_file() {
            return None;
        }
        if route.kind() == RouteKind::Component {
            return self.methods_of_component(route, &file);
        }
        match Description::read(&file) {
            Ok((description, _)) => Some(description.methods),
            Err(error) => {
                let fault = Fault::warning(error.to_string()).file(route.file());
                output::fault(&fault.hint("`cargo waypost build` builds it again"));
                None
            }
        }
    }

    /// Returns the methods of a `route.wasm`, which only components made by Waypost have.
    fn methods_of_component(&self, route: &Route, file: &Path) -> Option<Vec<String>> {
        match foreign::verify(route, file, Depth::Outline) {
            Ok(found) => found.methods,
            Err(fault) => {
                output::fault(&fault.as_warning().file(route.file()));
                None
            }
        }
    }
}
