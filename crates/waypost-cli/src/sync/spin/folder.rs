//! Which folder below `handlers/` a component in `spin.toml` belongs to.

use toml_edit::{Item, TableLike, Value};

use super::super::manifest::text;
use super::super::members::unescape_glob;
use crate::scan::{COMPONENT_FILE, ROUTE_FILE};

/// The folder below `handlers/` whose component this is, or that it is built from.
pub(crate) fn folder_of(component: &dyn TableLike) -> Option<String> {
    folder_of_source(component).or_else(|| folder_of_build(component))
}

/// The folder below `handlers/` whose `route.wasm` a component is.
pub(crate) fn folder_of_source(component: &dyn TableLike) -> Option<String> {
    let folder = normal(text(component, "source")?).strip_suffix(COMPONENT_FILE)?;
    let folder = folder.strip_suffix('/')?;
    is_of_a_route(folder).then(|| folder.to_owned())
}

/// Tells whether a path is the `route.wasm` of some folder below `handlers/`.
pub(super) fn is_component_file(path: &str) -> bool {
    let folder = normal(path).strip_suffix(COMPONENT_FILE);
    folder
        .and_then(|folder| folder.strip_suffix('/'))
        .is_some_and(is_of_a_route)
}

pub(super) fn normal(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

fn folder_of_build(component: &dyn TableLike) -> Option<String> {
    let build = component.get("build")?.as_table_like()?;
    let workdir = text(build, "workdir").map(normal);
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

/// The folder in which this glob watches `file`, or all Rust files if it is `*.rs`.
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
