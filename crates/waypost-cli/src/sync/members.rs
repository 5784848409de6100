//! Synchronises the workspace members in the app's `Cargo.toml`: one entry for each route that is a package.
//!
//! Members are globs. The folder `items/[slug]` is written `items/[[]slug[]]`: the bare name works only until a
//! folder `items/s` exists, and then silently matches that one.

use std::collections::BTreeSet;

use toml_edit::{Array, Item, Value};

use super::manifest::Manifest;
use super::{Edited, SyncError, array};
use crate::component_id::ROUTER;
use crate::glob::{escape_glob, unescape_glob};
use crate::route::{Route, RouteKind};

const FILE: &str = "Cargo.toml";
const NO_WORKSPACE: &str =
    "the app's manifest has no `[workspace]` table; add one with `members = [\"router\"]`";
const NO_ARRAY: &str = "`workspace.members` is not an array of strings";

/// Synchronises the members. `has_package` returns whether a folder (relative to the app's root) holds a
/// `Cargo.toml`.
pub(super) fn edit(
    text: &str,
    routes: &[Route],
    has_package: &dyn Fn(&str) -> bool,
) -> Result<Edited, SyncError> {
    let mut manifest = Manifest::parse(FILE, text)?;
    let members = members(&mut manifest)?;
    let gone = remove_vanished(members, has_package);
    let removed = |folder: &String| format!("remove member `{folder}`: there is no such package");
    let mut changes: Vec<String> = gone.iter().map(removed).collect();
    changes.extend(replace_bare(members, routes));
    changes.extend(add_missing(members, wanted(routes, has_package)));
    manifest.changes = changes;
    let left = |folder: String| format!("the member `{folder}` is not a package");
    manifest.gone = gone.into_iter().map(left).collect();
    Ok(manifest.finish())
}

fn members(manifest: &mut Manifest) -> Result<&mut Array, SyncError> {
    let shape = |expected| SyncError::Shape {
        file: FILE,
        expected,
    };
    let workspace = manifest
        .document
        .get_mut("workspace")
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| shape(NO_WORKSPACE))?;
    if workspace.get("members").is_none() {
        workspace.insert("members", Item::Value(Value::Array(Array::new())));
    }
    workspace
        .get_mut("members")
        .and_then(Item::as_array_mut)
        .filter(|members| members.iter().all(Value::is_str))
        .ok_or_else(|| shape(NO_ARRAY))
}

fn wanted(routes: &[Route], has_package: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let handlers = routes
        .iter()
        .filter(|route| route.kind() == RouteKind::Source)
        .map(|route| route.folder().to_owned());
    let router = has_package(ROUTER).then(|| ROUTER.to_owned());
    handlers.chain(router).collect()
}

/// Removes entries below `handlers/` for folders without a package, at which Cargo would stop.
fn remove_vanished(members: &mut Array, has_package: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut gone = Vec::new();
    let mut index = 0;
    while let Some(member) = members.get(index).and_then(Value::as_str) {
        let folder = unescape_glob(normal(member));
        match folder.filter(|folder| is_in_handlers(folder) && !has_package(folder)) {
            Some(folder) => {
                gone.push(folder);
                array::remove(members, index);
            }
            None => index += 1,
        }
    }
    gone
}

fn is_in_handlers(folder: &str) -> bool {
    folder == "handlers" || folder.starts_with("handlers/")
}

/// Replaces entries with the bare name of a route's folder by an escaped glob.
fn replace_bare(members: &mut Array, routes: &[Route]) -> Vec<String> {
    let mut changes = Vec::new();
    for route in routes {
        let folder = route.folder();
        let glob = escape_glob(folder);
        if glob == folder {
            continue;
        }
        let bare = position(members, |member| normal(member) == folder);
        let Some(bare) = bare else { continue };
        match position(members, |member| normal(member) == glob) {
            Some(_) => array::remove(members, bare),
            None => {
                if let Some(member) = members.get_mut(bare) {
                    super::manifest::replace(member, glob.as_str());
                }
            }
        }
        changes.push(format!(
            "write member `{folder}` as `{glob}`: members are globs"
        ));
    }
    changes
}

fn add_missing(members: &mut Array, mut wanted: BTreeSet<String>) -> Vec<String> {
    for member in members.iter().filter_map(Value::as_str) {
        if let Some(folder) = unescape_glob(normal(member)) {
            wanted.remove(&folder);
        }
    }
    let globs: Vec<String> = wanted.iter().map(|folder| escape_glob(folder)).collect();
    array::push_all(members, &globs);
    globs
        .into_iter()
        .map(|glob| format!("add member `{glob}`"))
        .collect()
}

fn position(members: &Array, is: impl Fn(&str) -> bool) -> Option<usize> {
    members
        .iter()
        .position(|member| member.as_str().is_some_and(&is))
}

/// Returns a member without `./` at its start and `/` at its end, which Cargo ignores.
fn normal(member: &str) -> &str {
    member.trim_start_matches("./").trim_end_matches('/')
}
