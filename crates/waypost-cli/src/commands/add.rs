//! `waypost add`: a new route in an app.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use toml_edit::{DocumentMut, Item, TableLike};
use waypost_config::{ComponentId, Fault, Faults, Place, Severity, read_text_file};
use waypost_routing::{Pattern, PatternError};

use crate::app::App;
use crate::cli::AppArgs;
use crate::component_id;
use crate::failure::Failure;
use crate::output;
use crate::scaffold::{self, MethodName};
use crate::scan::{COMPONENT_FILE, ROUTE_FILE, Route, Scan, refuse_conflicts};
use crate::sync::{Plan, folder_of};

/// Add a route
///
/// Makes the folder, `Cargo.toml` and `route.rs`, and enters the route in the workspace and in
/// `spin.toml`. A `route.rs` that is there already stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost add hello                               /hello
  cargo waypost add 'items/[slug]' --method get,delete  /items/7, for two methods
  cargo waypost add 'blog/[...path]'                    /blog/a, /blog/a/b and so on
  cargo waypost add '(shop)/cart'                       /cart: a group adds no segment")]
pub struct AddArgs {
    /// The folder below `handlers/`, as `items/[slug]`; `/` for the app's root
    #[arg(value_name = "PATTERN")]
    folder: String,
    /// The methods that the route begins with
    #[arg(
        long = "method",
        value_name = "METHODS",
        value_delimiter = ',',
        default_value = "get",
        ignore_case = true
    )]
    methods: Vec<MethodName>,
    #[command(flatten)]
    app: AppArgs,
}

/// A route to add to one app.
pub struct AddCommand {
    app: App,
    /// Below `handlers/`, with `/` between names; empty for the root.
    below: String,
    pattern: Pattern,
    methods: Vec<MethodName>,
}

impl AddArgs {
    pub fn resolve(self) -> anyhow::Result<AddCommand> {
        let below = self.folder.trim_matches('/').to_owned();
        refuse_prefix(&below)?;
        let pattern = Pattern::parse(&below).map_err(|error| bad_pattern(&below, &error))?;
        let mut methods = Vec::new();
        for method in self.methods {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        Ok(AddCommand {
            app: self.app.find()?,
            below,
            pattern,
            methods,
        })
    }
}

impl AddCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let missing = self.missing()?;
        let routes = self.other_routes()?;
        // A file that cannot be edited is known before anything is written.
        Plan::of_manifests(&self.app, &routes)?;
        let id = self.id(&routes)?;
        self.write(&missing, &id)?;
        self.enter()?;
        output::print(&format!(
            "Added `{}`: edit {}\n",
            self.pattern,
            self.file(ROUTE_FILE)
        ));
        Ok(())
    }

    /// The files that the folder lacks.
    fn missing(&self) -> anyhow::Result<Vec<&'static str>> {
        let component = self.path(COMPONENT_FILE);
        if component.exists() {
            return Err(
                Failure::new(format!("`{}` is a route already", self.file(COMPONENT_FILE)))
                    .hint("remove it first: the new route keeps what `spin.toml` grants it; or choose another folder")
                    .into(),
            );
        }
        let is_missing = |name: &&str| !self.path(name).exists();
        let missing: Vec<_> = [ROUTE_FILE, "Cargo.toml"]
            .into_iter()
            .filter(is_missing)
            .collect();
        match missing.as_slice() {
            [] => Err(
                Failure::new(format!("`{}` is a route already", self.file(ROUTE_FILE)))
                    .hint("edit it, or choose another folder")
                    .into(),
            ),
            [ROUTE_FILE] => Err(Failure::new(format!(
                "`{}` is a package already",
                self.file("Cargo.toml")
            ))
            .hint(format!(
                "write `{ROUTE_FILE}` beside it, or choose another folder"
            ))
            .into()),
            _ => Ok(missing),
        }
    }

    /// The routes that are there, if they are sound and none conflicts with the new one.
    fn other_routes(&self) -> anyhow::Result<Vec<Route>> {
        let scan = Scan::of(&self.app);
        let file = self.file(ROUTE_FILE);
        let is_of_another = |fault: &&Fault| {
            fault.severity() == Severity::Error && fault.places() != [Place::file(&file)]
        };
        let faults: Vec<Fault> = scan
            .faults()
            .iter()
            .filter(is_of_another)
            .cloned()
            .collect();
        Faults::refuse(faults)?;
        let routes = scan.into_sound_routes();
        refuse_conflicts(&routes, &self.pattern, &file)?;
        Ok(routes)
    }

    fn id(&self, routes: &[Route]) -> anyhow::Result<ComponentId> {
        let mut taken = names_in_manifests(&self.app, &self.file(""))?;
        taken.extend(routes.iter().map(|route| route.id().to_string()));
        Ok(component_id::derive(&self.pattern, |name| {
            taken.contains(name)
        }))
    }

    fn write(&self, missing: &[&str], id: &ComponentId) -> anyhow::Result<()> {
        let workspace = document(&self.app.cargo_toml())?;
        let folder = self.path("");
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        for name in missing {
            let text = match *name {
                ROUTE_FILE => scaffold::route_source(&self.pattern, &self.methods),
                _ => scaffold::route_manifest(id, &workspace),
            };
            let file = self.file(name);
            fs::write(self.path(name), text).with_context(|| format!("cannot write `{file}`"))?;
            output::note(&format!("{file}: new"));
        }
        Ok(())
    }

    /// Enters the route in the workspace and in `spin.toml`.
    fn enter(&self) -> anyhow::Result<()> {
        let routes = Scan::of(&self.app).into_routes()?;
        let plan = Plan::of_manifests(&self.app, &routes)?;
        plan.apply()?;
        plan.changes(&self.app)
            .iter()
            .for_each(|change| output::note(change));
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.app.handlers().join(&self.below).join(name)
    }

    fn file(&self, name: &str) -> String {
        match self.below.as_str() {
            "" => format!("handlers/{name}"),
            below => format!("handlers/{below}/{name}"),
        }
    }
}

/// The folder is below `handlers/`, so naming that again is hardly meant.
fn refuse_prefix(below: &str) -> Result<(), Failure> {
    match below.strip_prefix("handlers/") {
        None => Ok(()),
        Some(rest) => Err(
            Failure::new(format!("`{below}` would be `handlers/{below}`")).hint(format!(
                "patterns begin below `handlers/`: `cargo waypost add '{rest}'`"
            )),
        ),
    }
}

fn bad_pattern(below: &str, error: &PatternError) -> Failure {
    let message = error.to_string();
    match message.rsplit_once("; ") {
        Some((message, hint)) => {
            Failure::new(format!("`{below}` is no route: {message}")).hint(hint)
        }
        None => Failure::new(format!("`{below}` is no route: {message}")),
    }
}

/// Names that a new package in `folder` must not have: Cargo could not tell two of one name apart. A component
/// that was in the folder before is its own.
fn names_in_manifests(app: &App, folder: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let workspace = document(&app.cargo_toml())?;
    let dependencies = workspace
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"));
    names.extend(keys(dependencies));
    let spin = document(&app.spin_toml())?;
    let is_own = |id: &String| {
        let component = spin["component"].get(id).and_then(Item::as_table_like);
        component.and_then(folder_of).as_deref() == Some(folder.trim_end_matches('/'))
    };
    let ids = keys(spin.get("component")).into_iter();
    names.extend(ids.filter(|id| !is_own(id)));
    let lock = app.root().join("Cargo.lock");
    if lock.is_file() {
        names.extend(locked(&document(&lock)?));
    }
    Ok(names)
}

fn keys(item: Option<&Item>) -> Vec<String> {
    let table = item.and_then(Item::as_table_like);
    let keys = table.map(TableLike::iter).into_iter().flatten();
    keys.map(|(key, _)| key.to_owned()).collect()
}

fn locked(lock: &DocumentMut) -> Vec<String> {
    let packages = lock.get("package").and_then(Item::as_array_of_tables);
    packages
        .into_iter()
        .flatten()
        .filter_map(|package| package.get("name")?.as_str())
        .map(str::to_owned)
        .collect()
}

fn document(file: &std::path::Path) -> anyhow::Result<DocumentMut> {
    let shown = file.display();
    read_text_file(file)
        .with_context(|| format!("cannot read `{shown}`"))?
        .parse()
        .with_context(|| format!("`{shown}` is not valid TOML"))
}
