//! The routes in `spin.toml`: for each a private trigger, a component and how to build it.
//!
//! The order is: what vanished goes, what was renamed or moved is followed, what is missing is
//! appended. A component counts as a route's when its build works in (or watches) a folder below
//! `handlers/`; all others are left alone. So is a source outside `target/`: that is where its
//! owner wants the component copied.
//!
//! New build tables have no `workdir`. `spin watch` joins it in front of each watch glob without
//! escaping it (`create_source_globs` in Spin's `watch/filters.rs`), so a folder with brackets
//! would watch the wrong files; commands and watch globs are relative to the app instead.

use toml_edit::{Item, Table, TableLike, Value};

use super::manifest::{Manifest, replace, text};
use super::members::{escape_glob, unescape_glob};
use super::{Edited, SyncError};
use crate::component_id::ComponentId;
use crate::scan::{ROUTE_FILE, Route};

mod append;
mod document;
mod router;

use document::Spin;

/// Brings the manifest in step. `has_package` says whether a folder (relative to the app's root)
/// holds a `Cargo.toml`. The second value is warnings.
pub(super) fn edit(
    text: &str,
    routes: &[Route],
    has_package: &dyn Fn(&str) -> bool,
) -> Result<(Edited, Vec<String>), SyncError> {
    let mut spin = Spin::new(Manifest::parse(document::FILE, text)?)?;
    follow_renamed(&mut spin, routes);
    remove_vanished(&mut spin, routes, has_package);
    router::ensure(&mut spin);
    for route in routes {
        follow_moved(&mut spin, route, has_package);
        ensure(&mut spin, route);
    }
    let warnings = public_handlers(&spin, routes);
    Ok((spin.finish(), warnings))
}

/// The shell command that builds one package from the app's root.
fn build_command(package: &str) -> String {
    format!("cargo build --target wasm32-wasip2 --release -p {package}")
}

/// Tells a route's component from one that a person builds in another way, and keeps.
fn is_built_by_cargo(component: &dyn TableLike) -> bool {
    let build = component.get("build").and_then(Item::as_table_like);
    let command = build.and_then(|build| text(build, "command"));
    command.is_some_and(|command| command.starts_with("cargo build"))
}

/// The folder below `handlers/` that a component is built from.
fn folder_of(component: &dyn TableLike) -> Option<String> {
    let build = component.get("build")?.as_table_like()?;
    let workdir = text(build, "workdir").map(normal);
    let watched = build
        .get("watch")
        .and_then(Item::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find_map(|glob| watched_folder(workdir, glob));
    let worked_in = workdir.map(str::to_owned);
    watched
        .or(worked_in)
        .filter(|folder| folder == "handlers" || folder.starts_with("handlers/"))
}

/// The folder whose route file this glob watches.
fn watched_folder(workdir: Option<&str>, glob: &str) -> Option<String> {
    let glob = match workdir {
        Some(workdir) => format!("{workdir}/{}", normal(glob)),
        None => normal(glob).to_owned(),
    };
    let file = unescape_glob(&glob)?;
    let folder = file.strip_suffix(ROUTE_FILE)?.strip_suffix('/')?;
    Some(folder.to_owned())
}

fn normal(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

/// A package got a new name: its component follows, with all that its owner wrote there.
fn follow_renamed(spin: &mut Spin, routes: &[Route]) {
    let is_route = |id: &str| routes.iter().any(|route| route.id().as_str() == id);
    for old in spin.component_ids() {
        let folder = spin.component(&old).and_then(folder_of);
        let route = routes
            .iter()
            .find(|route| folder.as_deref() == Some(route.folder()));
        let Some(route) = route.filter(|_| !is_route(&old)) else {
            continue;
        };
        if spin.component(route.id().as_str()).is_none() {
            rename(spin, &old, route.id());
        }
    }
}

fn rename(spin: &mut Spin, old: &str, new: &ComponentId) {
    spin.rename_component(old, new.as_str());
    let command = spin
        .build_mut(new.as_str())
        .and_then(|build| build.get_mut("command"))
        .and_then(Item::as_value_mut);
    if let Some(command) = command
        && command.as_str() == Some(build_command(old).as_str())
    {
        replace(command, build_command(new.as_str()));
    }
    spin.note(format!("rename component `{old}` to `{new}`"));
}

/// Removes components whose folder below `handlers/` is no package any more.
fn remove_vanished(spin: &mut Spin, routes: &[Route], has_package: &dyn Fn(&str) -> bool) {
    for id in spin.component_ids() {
        if routes.iter().any(|route| route.id().as_str() == id) {
            continue;
        }
        let ours = spin
            .component(&id)
            .filter(|component| is_built_by_cargo(*component));
        let folder = ours.and_then(folder_of);
        if let Some(folder) = folder.filter(|folder| !has_package(folder)) {
            spin.remove_component(&id);
            spin.note(format!(
                "remove component `{id}` and its trigger: `{folder}` is gone"
            ));
        }
    }
}

/// A folder got a new name: the build of its component follows.
fn follow_moved(spin: &mut Spin, route: &Route, has_package: &dyn Fn(&str) -> bool) {
    let id = route.id().as_str();
    let old = spin.component(id).and_then(folder_of);
    let Some(old) = old.filter(|old| old != route.folder() && !has_package(old)) else {
        return;
    };
    let Some(build) = spin.build_mut(id) else {
        return;
    };
    move_build(build, &old, route.folder());
    spin.note(format!("move the build of `{id}` to `{}`", route.folder()));
}

fn move_build(build: &mut dyn TableLike, old: &str, new: &str) {
    if let Some(workdir) = build.get_mut("workdir").and_then(Item::as_value_mut)
        && workdir.as_str().map(normal) == Some(old)
    {
        replace(workdir, new);
    }
    let globs = build.get_mut("watch").and_then(Item::as_array_mut);
    for glob in globs.into_iter().flat_map(|globs| globs.iter_mut()) {
        let rest = glob
            .as_str()
            .and_then(|glob| glob.strip_prefix(&escape_glob(old)))
            .filter(|rest| rest.starts_with('/'));
        if let Some(rest) = rest {
            let moved = format!("{}{rest}", escape_glob(new));
            replace(glob, moved);
        }
    }
}

/// The component and the private trigger of a route.
fn ensure(spin: &mut Spin, route: &Route) {
    let id = route.id();
    let has_trigger = spin.triggers_of(id.as_str()).next().is_some();
    if !has_trigger {
        append::private_trigger(spin, id);
    }
    match spin.component(id.as_str()) {
        Some(_) => correct_source(spin, id.as_str(), &id.source()),
        None => append::handler(spin, route),
    }
}

/// Corrects a source in Cargo's target folder; anything else is its owner's choice.
fn correct_source(spin: &mut Spin, id: &str, expected: &str) {
    let Some(component) = spin.component_mut(id) else {
        return;
    };
    match component.get_mut("source") {
        Some(Item::Value(source)) => {
            let is_cargos = |path: &str| normal(path).starts_with("target/");
            if !source.as_str().is_some_and(is_cargos) || source.as_str() == Some(expected) {
                return;
            }
            replace(source, expected);
        }
        Some(_) => return,
        None => {
            component.insert("source", Item::Value(expected.into()));
        }
    }
    spin.note(format!("set the source of `{id}` to `{expected}`"));
}

/// Handlers that can be reached without the router.
fn public_handlers(spin: &Spin, routes: &[Route]) -> Vec<String> {
    let is_private = |trigger: &&Table| {
        let route = trigger.get("route").and_then(Item::as_table_like);
        let private = route.and_then(|route| route.get("private"));
        private.and_then(Item::as_bool) == Some(true)
    };
    let public = |route: &&Route| {
        !spin
            .triggers_of(route.id().as_str())
            .all(|t| is_private(&t))
    };
    routes
        .iter()
        .filter(public)
        .map(|route| {
            format!(
                "`{}` of `{}` has a public trigger, so clients can go past the router (`route = {{ private = true }}` closes it)",
                document::FILE,
                route.id()
            )
        })
        .collect()
}
