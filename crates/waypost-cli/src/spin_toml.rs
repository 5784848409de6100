//! Reads a component's file and folder from `spin.toml`.
//!
//! Scanning needs this to keep the id of a `route.wasm`, and synchronising to recognise its own entries. Only
//! [`crate::sync`] changes the file.

use std::path::PathBuf;

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::app::App;
use crate::component_id::ROUTER;
use crate::glob::unescape_glob;
use crate::route::{COMPONENT_FILE, ROUTE_FILE, Route};

/// The file that Cargo makes of the router, relative to the app's root.
pub(crate) const ROUTER_SOURCE: &str = "target/wasm32-wasip2/release/router.wasm";

/// Returns the component's file as `spin.toml` names it, or the default location if `spin.toml` names none, or a URL.
pub(crate) fn component_file(app: &App, manifest: &DocumentMut, route: &Route) -> PathBuf {
    source(app, manifest, route.id().as_str(), &route.source())
}

/// Returns the router's file, found in the same way.
pub(crate) fn router_file(app: &App, manifest: &DocumentMut) -> PathBuf {
    source(app, manifest, ROUTER, ROUTER_SOURCE)
}

fn source(app: &App, manifest: &DocumentMut, id: &str, default: &str) -> PathBuf {
    let source = manifest
        .get("component")
        .and_then(|components| components.get(id))
        .and_then(|component| component.get("source"))
        .and_then(Item::as_str);
    app.root().join(source.unwrap_or(default))
}

/// Returns the folder below `handlers/` whose `route.wasm` the component is, or from which it is built.
pub(crate) fn folder_of(component: &dyn TableLike) -> Option<String> {
    folder_of_source(component).or_else(|| folder_of_build(component))
}

/// Returns the folder below `handlers/` whose `route.wasm` the component is.
pub(crate) fn folder_of_source(component: &dyn TableLike) -> Option<String> {
    let folder = normal(text_at(component, "source")?).strip_suffix(COMPONENT_FILE)?;
    let folder = folder.strip_suffix('/')?;
    is_of_a_route(folder).then(|| folder.to_owned())
}

/// Returns whether a path is the `route.wasm` of some folder below `handlers/`.
pub(crate) fn is_component_file(path: &str) -> bool {
    let folder = normal(path).strip_suffix(COMPONENT_FILE);
    folder
        .and_then(|folder| folder.strip_suffix('/'))
        .is_some_and(is_of_a_route)
}

/// Returns a path without `./` at its start and `/` at its end.
pub(crate) fn normal(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

fn folder_of_build(component: &dyn TableLike) -> Option<String> {
    let build = component.get("build")?.as_table_like()?;
    let workdir = text_at(build, "workdir").map(normal);
    let globs = build.get("watch").and_then(Item::as_array);
    let watched = |file| {
        let mut globs = globs.into_iter().flatten().filter_map(Value::as_str);
        globs.find_map(|glob| watched_folder(workdir, glob, file))
    };
    let worked_in = || workdir.map(str::to_owned);
    watched(ROUTE_FILE)
        .or_else(worked_in)
        .or_else(|| watched("*.rs"))
        .filter(|folder| is_of_a_route(folder))
}

/// Returns the folder in which this glob matches `file`.
fn watched_folder(workdir: Option<&str>, glob: &str, file: &str) -> Option<String> {
    let glob = match workdir {
        Some(workdir) => format!("{workdir}/{}", normal(glob)),
        None => normal(glob).to_owned(),
    };
    unescape_glob(glob.strip_suffix(file)?.strip_suffix('/')?)
}

fn is_of_a_route(folder: &str) -> bool {
    folder == "handlers" || folder.starts_with("handlers/")
}

/// Returns the string at `key`, or `None` if there is none.
pub(crate) fn text_at<'a>(table: &'a dyn TableLike, key: &str) -> Option<&'a str> {
    table.get(key)?.as_str()
}
