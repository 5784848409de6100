//! `waypost add`: adds a route to an app.

mod literal;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toml_edit::{DocumentMut, Item, TableLike};
use waypost_config::{ComponentId, Fault, Faults, Place, Severity, read_text_file};
use waypost_routing::{Pattern, PatternError};

use crate::app::App;
use crate::cli::AppArgs;
use crate::component_id;
use crate::failure::Failure;
use crate::lock;
use crate::output;
use crate::route::{COMPONENT_FILE, ROUTE_FILE, Route};
use crate::scaffold::{self, MethodName};
use crate::scan::{Scan, refuse_conflicts};
use crate::spin_toml::folder_of;
use crate::sync::Plan;

/// Add a route
///
/// Creates the folder, `Cargo.toml` and `route.rs`, and adds the route to the workspace and to `spin.toml`. An
/// existing `route.rs` is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost add hello                               /hello
  cargo waypost add 'items/[slug]' --method get,delete  /items/7, for two methods
  cargo waypost add 'blog/[...path]'                    /blog/a, /blog/a/b and so on
  cargo waypost add '(shop)/cart'                       /cart: a group adds no segment")]
pub struct AddArgs {
    /// The folder below `handlers/`, such as `items/[slug]`; `/` for the app's root
    #[arg(value_name = "PATTERN")]
    folder: String,
    /// The methods of the new route
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
    /// The folder below `handlers/`, with `/` between names; empty for the root.
    below: String,
    pattern: Pattern,
    methods: Vec<MethodName>,
}

impl AddArgs {
    pub fn resolve(self) -> anyhow::Result<AddCommand> {
        let below = self.folder.trim_matches('/').to_owned();
        refuse_prefix(&below)?;
        let pattern = Pattern::parse(&below).map_err(|error| bad_pattern(&below, &error))?;
        literal::refuse(&below)?;
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
        // Fail before anything is written if a file cannot be edited.
        Plan::of_manifests(&self.app, &routes)?;
        let id = self.id(&routes)?;
        self.create(&missing, &id)?;
        output::print(&format!(
            "Added `{}`: edit {}\n",
            self.pattern,
            self.file(ROUTE_FILE)
        ));
        output::note(
            "On Spin, run `cargo waypost build` next, also beside `spin watch`: it adds the route to the router",
        );
        Ok(())
    }

    /// Returns the files that the folder lacks.
    fn missing(&self) -> anyhow::Result<Vec<&'static str>> {
        let component = self.path(COMPONENT_FILE);
        if component.exists() {
            return Err(
                Failure::new(format!("`{}` is already a route", self.file(COMPONENT_FILE)))
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
                Failure::new(format!("`{}` is already a route", self.file(ROUTE_FILE)))
                    .hint("edit it, or choose another folder")
                    .into(),
            ),
            [ROUTE_FILE] => Err(Failure::new(format!(
                "`{}` is already a package",
                self.file("Cargo.toml")
            ))
            .hint(format!(
                "write `{ROUTE_FILE}` beside it, or choose another folder"
            ))
            .into()),
            _ => Ok(missing),
        }
    }

    /// Returns the existing routes, if they are valid and none conflicts with the new one.
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

    /// Writes the files and adds the route to the manifests. If that fails, removes what it created.
    fn create(&self, missing: &[&'static str], id: &ComponentId) -> anyhow::Result<()> {
        let mut created = Created::default();
        let result = self
            .write(missing, id, &mut created)
            .and_then(|()| self.enter(missing));
        if result.is_err() {
            created.remove();
        }
        result
    }

    fn write(
        &self,
        missing: &[&str],
        id: &ComponentId,
        created: &mut Created,
    ) -> anyhow::Result<()> {
        let workspace = document(&self.app.cargo_toml())?;
        let folder = self.path("");
        created
            .folder(&folder)
            .with_context(|| format!("cannot create the folder `{}`", folder.display()))?;
        for name in missing {
            let text = match *name {
                ROUTE_FILE => scaffold::route_source(&self.pattern, &self.methods),
                _ => scaffold::route_manifest(id, &workspace),
            };
            let file = self.file(name);
            created
                .file(&self.path(name), &text)
                .with_context(|| format!("cannot write `{file}`"))?;
        }
        Ok(())
    }

    /// Adds the route to the workspace and to `spin.toml`.
    fn enter(&self, missing: &[&str]) -> anyhow::Result<()> {
        let routes = Scan::of(&self.app).into_routes()?;
        let plan = Plan::of_manifests(&self.app, &routes)?;
        plan.apply()?;
        for name in missing {
            output::note(&format!("{}: new", self.file(name)));
        }
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

/// The files and folders that a command created, in this order.
#[derive(Default)]
struct Created(Vec<PathBuf>);

impl Created {
    /// Creates a folder and its missing parents.
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|folder| !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder)?;
            self.0.push(folder.to_owned());
        }
        Ok(())
    }

    fn file(&mut self, file: &Path, text: &str) -> io::Result<()> {
        self.0.push(file.to_owned());
        fs::write(file, text)
    }

    /// Removes the files, and the folders as far as nothing else is in them.
    fn remove(self) {
        for path in self.0.into_iter().rev() {
            // The error that led here is reported; this one would hide it.
            let _ = match path.is_dir() {
                true => fs::remove_dir(&path),
                false => fs::remove_file(&path),
            };
        }
    }
}

/// Refuses a folder that begins with `handlers/`, which is most likely a mistake.
fn refuse_prefix(below: &str) -> Result<(), Failure> {
    match below.strip_prefix("handlers/") {
        None => Ok(()),
        Some(rest) => Err(
            Failure::new(format!("`{below}` would be `handlers/{below}`")).hint(format!(
                "patterns are relative to `handlers/`: `cargo waypost add '{rest}'`"
            )),
        ),
    }
}

fn bad_pattern(below: &str, error: &PatternError) -> Failure {
    let message = error.to_string();
    match message.rsplit_once("; ") {
        Some((message, hint)) => {
            Failure::new(format!("`{below}` is not a route: {message}")).hint(hint)
        }
        None => Failure::new(format!("`{below}` is not a route: {message}")),
    }
}

/// Returns the names that a new package in `folder` must not have, because Cargo or Spin could not distinguish two of
/// the same name. An earlier component of the same folder does not count.
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
    names.extend(lock::packages(app)?.into_iter().map(|package| package.name));
    Ok(names)
}

fn keys(item: Option<&Item>) -> Vec<String> {
    let table = item.and_then(Item::as_table_like);
    let keys = table.map(TableLike::iter).into_iter().flatten();
    keys.map(|(key, _)| key.to_owned()).collect()
}

fn document(file: &Path) -> anyhow::Result<DocumentMut> {
    let shown = file.display();
    read_text_file(file)
        .with_context(|| format!("cannot read `{shown}`"))?
        .parse()
        .with_context(|| format!("`{shown}` is not valid TOML"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("a")).unwrap();
        let mut created = Created::default();
        created.folder(&root.join("a/b/c")).unwrap();
        created.file(&root.join("a/b/c/route.rs"), "text").unwrap();
        // A name is too long for a file system.
        assert!(
            created
                .folder(&root.join("a/d").join("e".repeat(300)))
                .is_err()
        );
        fs::write(root.join("a/other"), "").unwrap();
        created.remove();
        let left: Vec<_> = fs::read_dir(root.join("a")).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
