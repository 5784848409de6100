//! Warns of files that look like a route but are not, so that nobody wonders about a 404.

use waypost_config::Fault;

use super::package;
use super::walk::Folder;
use crate::route::{COMPONENT_FILE, ROUTE_FILE};

/// Route files of other frameworks, and names used elsewhere.
const OTHER_LANGUAGES: [&str; 8] = [
    "route.ts",
    "route.js",
    "route.tsx",
    "route.jsx",
    "route.mjs",
    "route.py",
    "route.wat",
    "page.tsx",
];
const OTHER_COMPONENTS: [&str; 2] = ["index.wasm", "routes.wasm"];
const OTHER_NAMES: [&str; 4] = ["index.rs", "mod.rs", "page.rs", "routes.rs"];

/// Returns whether the walk has to remember a file of this name.
pub(super) fn is_of_interest(name: &str) -> bool {
    [ROUTE_FILE, COMPONENT_FILE, package::MANIFEST].contains(&name) || is_near_miss(name)
}

/// Returns the warnings for the files of a folder.
pub(super) fn warnings(folder: &Folder, folders: &[Folder]) -> Vec<Fault> {
    folder
        .files
        .iter()
        .filter(|name| is_near_miss(name))
        // The source of a component may lie beside it.
        .filter(|name| !(is_other_language(name) && folder.has(COMPONENT_FILE)))
        // A folder below a route may hold modules of its crate.
        .filter(|name| {
            !is_module(name) || !(folder.has_route() || is_inside_route(folder, folders))
        })
        .map(|name| warning(folder, name))
        .collect()
}

fn warning(folder: &Folder, name: &str) -> Fault {
    let hint = match name {
        name if is_other_language(name) => format!(
            "routes are written in Rust (`{ROUTE_FILE}`), or are components made elsewhere (`{COMPONENT_FILE}`)"
        ),
        name if name.to_ascii_lowercase().ends_with(".wasm") => {
            format!("rename it to `{COMPONENT_FILE}`, or move it to a private folder (`_name`)")
        }
        _ => format!("rename it to `{ROUTE_FILE}`, or move it to a private folder (`_name`)"),
    };
    Fault::warning(format!("`{name}` is not a route"))
        .file(folder.file(name))
        .hint(hint)
}

fn is_near_miss(name: &str) -> bool {
    is_module(name)
        || is_other_language(name)
        || OTHER_COMPONENTS.contains(&name)
        || [ROUTE_FILE, COMPONENT_FILE]
            .iter()
            .any(|file| name != *file && name.eq_ignore_ascii_case(file))
}

fn is_other_language(name: &str) -> bool {
    OTHER_LANGUAGES.contains(&name)
}

fn is_module(name: &str) -> bool {
    OTHER_NAMES.contains(&name)
}

/// Returns whether a parent folder is a route. The route of `/` does not count, because everything is below it.
fn is_inside_route(folder: &Folder, folders: &[Folder]) -> bool {
    folders
        .iter()
        .filter(|other| other.has_route() && !other.below.is_empty())
        .any(|other| {
            folder
                .below
                .strip_prefix(other.below.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
}
