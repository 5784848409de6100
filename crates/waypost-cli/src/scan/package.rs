//! Checks the `Cargo.toml` of a route: whether it exists, and makes the component that the app expects.

use std::collections::BTreeMap;

use toml_edit::{Document, Item};
use waypost_config::{ComponentId, Fault, Place, read_text_file};
use waypost_routing::Pattern;

use super::component::Known;
use super::walk::Folder;
use crate::app::App;
use crate::component_id::ROUTER;
use crate::route::{COMPONENT_FILE, ROUTE_FILE};

/// The manifest of a package.
pub(super) const MANIFEST: &str = "Cargo.toml";

const LIB_HINT: &str = "write `[lib]` with `path = \"route.rs\"` and `crate-type = [\"cdylib\"]`";

/// The packages read so far, and their faults.
pub(super) struct Packages<'a> {
    app: &'a App,
    users: BTreeMap<ComponentId, Vec<String>>,
    faults: Vec<Fault>,
}

impl<'a> Packages<'a> {
    pub(super) fn new(app: &'a App) -> Packages<'a> {
        Packages {
            app,
            users: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Returns the component id of a route, or `None` after recording a fault.
    pub(super) fn read(&mut self, folder: &Folder) -> Option<ComponentId> {
        let file = folder.file(MANIFEST);
        match manifest(self.app, folder).and_then(|manifest| self.check(&manifest, &file)) {
            Ok(id) => Some(id),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    /// Returns the component id of a `route.wasm`, or `None` after recording a fault.
    pub(super) fn take(
        &mut self,
        known: &Known,
        folder: &Folder,
        pattern: &Pattern,
    ) -> Option<ComponentId> {
        match known.id(self.app, folder, pattern, |name| self.has(name)) {
            Ok(id) => {
                let users = self.users.entry(id.clone()).or_default();
                users.push(folder.file(COMPONENT_FILE));
                Some(id)
            }
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.users.keys().any(|id| id.as_str() == name)
    }

    /// Returns the faults, including names that are used twice.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        let repeated = self.users.iter().filter(|(_, files)| files.len() > 1);
        self.faults
            .extend(repeated.map(|(id, files)| used_twice(id, files)));
        self.faults
    }

    fn check(&mut self, manifest: &Document<String>, file: &str) -> Result<ComponentId, Fault> {
        self.faults.extend(lib_faults(manifest, file));
        let id = component_id(manifest, file)?;
        let users = self.users.entry(id.clone()).or_default();
        users.push(file.to_owned());
        Ok(id)
    }
}

/// Returns the fault of a folder that has a `Cargo.toml` but no `route.rs`. Beside a `route.wasm` it may be the
/// package from which that is made.
pub(super) fn without_route(app: &App, folder: &Folder) -> Option<Fault> {
    if folder.has(ROUTE_FILE) || !folder.has(MANIFEST) {
        return None;
    }
    let has_component = folder.has(COMPONENT_FILE);
    let names_route = manifest(app, folder).is_ok_and(|manifest| {
        let path = manifest.get("lib").and_then(|lib| lib.get("path"));
        path.and_then(Item::as_str) == Some(ROUTE_FILE)
    });
    let fault = match names_route {
        true if has_component => Fault::error("the package names `route.rs`, which does not exist")
            .hint("remove `Cargo.toml`: the route is `route.wasm`, which needs none"),
        false if has_component => return None,
        true => Fault::error("the package names `route.rs`, which does not exist")
            .hint("write `route.rs`, or remove the folder"),
        false => Fault::warning("a package without `route.rs` is not a route")
            .hint("add `route.rs`, or move the package to a private folder (`_name`)"),
    };
    Some(fault.file(folder.file(MANIFEST)))
}

fn manifest(app: &App, folder: &Folder) -> Result<Document<String>, Fault> {
    let file = folder.file(MANIFEST);
    if !folder.has(MANIFEST) {
        return Err(no_manifest(folder));
    }
    let text = read_text_file(app.root().join(&file))
        .map_err(|error| Fault::error(format!("cannot read it: {error}")).file(&file))?;
    Document::parse(text.clone()).map_err(|error| not_toml(&text, &error, &file))
}

fn no_manifest(folder: &Folder) -> Fault {
    let command = match folder.below.as_str() {
        "" => "/",
        below => below,
    };
    Fault::error("the route has no `Cargo.toml`: each route is a package of its own")
        .file(folder.file(ROUTE_FILE))
        .hint(format!(
            "`cargo waypost add '{command}'` writes it and keeps `{ROUTE_FILE}` as it is"
        ))
}

fn not_toml(text: &str, error: &toml_edit::TomlError, file: &str) -> Fault {
    let start = error.span().map_or(0, |span| span.start);
    let line = 1 + text[..start].matches('\n').count();
    let message = error.message().replace('\n', ", ");
    Fault::error(format!("not valid TOML: {message}")).at(Place::line(file, line))
}

fn component_id(manifest: &Document<String>, file: &str) -> Result<ComponentId, Fault> {
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(Item::as_str)
        .ok_or_else(|| {
            Fault::error("the package has no name")
                .file(file)
                .hint("write `name = \"…\"` below `[package]`: it is the name of the component")
        })?;
    if name == ROUTER {
        return Err(
            Fault::error("the package name `router` is reserved for the router")
                .file(file)
                .hint("rename the package, for example to `router-route`"),
        );
    }
    ComponentId::parse_lowercase(name).map_err(|error| {
        Fault::error(format!(
            "the package name `{name}` is not a valid component id: {error}"
        ))
        .file(file)
        .hint("the package name is the component's id in `spin.toml`, such as `items-slug`")
    })
}

fn lib_faults(manifest: &Document<String>, file: &str) -> Vec<Fault> {
    let lib = |key: &str| manifest.get("lib").and_then(|lib| lib.get(key));
    let wrong = |message: &str| Fault::error(message).file(file).hint(LIB_HINT);
    let mut faults = Vec::new();
    if lib("path").and_then(Item::as_str) != Some(ROUTE_FILE) {
        faults.push(wrong("the package's library is not `route.rs`"));
    }
    // Cargo accepts both spellings of this key.
    let kinds = lib("crate-type").or_else(|| lib("crate_type"));
    if !kinds.is_some_and(has_cdylib) {
        faults.push(wrong(
            "the package does not build a `cdylib`, so there is no component",
        ));
    }
    if lib("name").is_some() {
        faults.push(
            wrong("the package's library has a name of its own, so its file would not be found")
                .hint("remove `name` from `[lib]`"),
        );
    }
    faults
}

fn has_cdylib(kinds: &Item) -> bool {
    kinds.as_array().is_some_and(|kinds| {
        kinds
            .iter()
            .any(|kind| kind.as_str().is_some_and(|kind| kind == "cdylib"))
    })
}

fn used_twice(id: &ComponentId, files: &[String]) -> Fault {
    let are_packages = files.iter().all(|file| file.ends_with(MANIFEST));
    let (what, hint) = match are_packages {
        true => ("package", "give each route a package name of its own"),
        false => (
            "component",
            "give the package another name, or the component of `route.wasm` in `spin.toml`",
        ),
    };
    let fault = Fault::error(format!(
        "the {what} name `{id}` is used {} times",
        files.len()
    ));
    files
        .iter()
        .fold(fault, |fault, file| fault.file(file))
        .hint(hint)
}
