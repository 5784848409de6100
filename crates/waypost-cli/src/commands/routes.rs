//! `waypost routes`: prints the table of routes.

use std::path::Path;

use anyhow::Context as _;
use toml_edit::DocumentMut;
use waypost_config::{Fault, Settings, read_text_file};

use crate::app::App;
use crate::build::cache_policy;
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
/// that handles all methods itself. A route with a cache policy has for how long its responses are fresh and served, then its
/// tags (`#`), and what else is part of the key: query parameters (`?`) and request headers (`:`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost routes                         the table of the app here
  cargo waypost routes --json | jq '.[].file'  the files, for a program")]
pub struct RoutesArgs {
    /// Print JSON: a list of objects with `pattern`, `methods` (null if unknown), `component`, `file` and, if there is a policy, `cache`
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
        let settings = Settings::load(&self.app.waypost_toml())?;
        let row = |route: &Route| {
            let description = self.description(&manifest, route);
            let cache = cache_policy(&settings, route, description.as_ref());
            let cache = cache.unwrap_or_else(|faults| {
                faults
                    .into_iter()
                    .for_each(|fault| output::fault(&fault.as_warning()));
                None
            });
            let methods = description.map(|description| description.methods);
            Row::new(route, methods, cache.as_ref())
        };
        let rows: Vec<Row> = routes.iter().map(row).collect();
        let text = match self.form {
            Form::Table => table::render(&rows),
            Form::Json => serde_json::to_string_pretty(&rows)? + "\n",
        };
        output::print(&text);
        Ok(())
    }

    fn description(&self, manifest: &DocumentMut, route: &Route) -> Option<Description> {
        let file = component_file(&self.app, manifest, route);
        if !file.is_file() {
            return None;
        }
        if route.kind() == RouteKind::Component {
            return self.description_of_component(route, &file);
        }
        match Description::read(&file) {
            Ok((description, _)) => Some(description),
            Err(error) => {
                let fault = Fault::warning(error.to_string()).file(route.file());
                output::fault(&fault.hint("`cargo waypost build` builds it again"));
                None
            }
        }
    }

    /// Returns the description of a `route.wasm`, which only components made by Waypost have.
    fn description_of_component(&self, route: &Route, file: &Path) -> Option<Description> {
        match foreign::verify(route, file, Depth::Outline) {
            Ok(found) => found.description,
            Err(fault) => {
                output::fault(&fault.as_warning().file(route.file()));
                None
            }
        }
    }
}
