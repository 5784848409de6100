//! The routes in `spin.toml`: for each a private trigger, a component and how to build it.
//!
//! The order is: what vanished goes, what was renamed or moved is followed, what is missing is
//! appended. A component counts as a route's when its source is a `route.wasm` below `handlers/`, or its
//! build works in (or watches) a folder there; all others are left alone. So is a source elsewhere outside
//! `target/`: that is where its owner wants the component copied.
//!
//! New build tables have no `workdir`. `spin watch` joins it in front of each watch glob without
//! escaping it (`create_source_globs` in Spin's `watch/filters.rs`), so a folder with brackets
//! would watch the wrong files; commands and watch globs are relative to the app instead. Which globs
//! they are is told in `sync/watch.rs`.

use toml_edit::{Item, Table, TableLike, Value};

use super::manifest::{Manifest, replace, text};
use super::members::escape_glob;
use super::{Edited, SyncError, array, watch};
use crate::app::App;
use crate::scan::{COMPONENT_FILE, Route};

mod append;
mod document;
mod folder;
mod kind;
mod router;

use document::Spin;
pub(crate) use folder::{folder_of, folder_of_source};
use folder::{is_component_file, normal};
use waypost_config::ComponentId;

/// Brings the manifest of an app in step, which is `text`. The second value is warnings.
pub(super) fn edit(
    text: &str,
    routes: &[Route],
    app: &App,
) -> Result<(Edited, Vec<String>), SyncError> {
    let has_file = &|file: &str| app.root().join(file).is_file();
    let mut spin = Spin::new(Manifest::parse(document::FILE, text)?)?;
    follow_renamed(&mut spin, routes);
    remove_vanished(&mut spin, routes, has_file);
    router::ensure(&mut spin);
    for route in routes {
        let watch = watch::globs(app, route.folder());
        kind::follow(&mut spin, route, &watch);
        follow_moved(&mut spin, route, has_file);
        ensure(&mut spin, route, &watch);
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

/// Removes components whose folder below `handlers/` is no route any more.
fn remove_vanished(spin: &mut Spin, routes: &[Route], has_file: &dyn Fn(&str) -> bool) {
    for id in spin.component_ids() {
        if routes.iter().any(|route| route.id().as_str() == id) {
            continue;
        }
        if let Some(gone) = spin.component(&id).and_then(|c| vanished(c, has_file)) {
            spin.remove_component(&id);
            spin.note(format!(
                "remove component `{id}` and its trigger: `{gone}` is gone"
            ));
            spin.note_gone(format!(
                "the component `{id}` is of `{gone}`, which is gone"
            ));
        }
    }
}

/// What a component of ours was made from and is gone.
fn vanished(component: &dyn TableLike, has_file: &dyn Fn(&str) -> bool) -> Option<String> {
    if let Some(folder) = folder_of_source(component) {
        // Whoever has a build for it may make it again.
        let file = format!("{folder}/{COMPONENT_FILE}");
        return (!component.contains_key("build") && !has_file(&file)).then_some(file);
    }
    let folder = folder_of(component).filter(|_| is_built_by_cargo(component))?;
    (!has_package(has_file, &folder)).then_some(folder)
}

fn has_package(has_file: &dyn Fn(&str) -> bool, folder: &str) -> bool {
    has_file(&format!("{folder}/Cargo.toml"))
}

/// A folder got a new name: the build of its component follows.
fn follow_moved(spin: &mut Spin, route: &Route, has_file: &dyn Fn(&str) -> bool) {
    let id = route.id().as_str();
    let old = spin.component(id).and_then(folder_of);
    let Some(old) = old.filter(|old| old != route.folder() && !has_package(has_file, old)) else {
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
fn ensure(spin: &mut Spin, route: &Route, watch: &[String]) {
    let id = route.id();
    let has_trigger = spin.triggers_of(id.as_str()).next().is_some();
    if !has_trigger {
        append::private_trigger(spin, id);
    }
    match spin.component(id.as_str()) {
        Some(_) => {
            correct_source(spin, id.as_str(), &route.source());
            watch_more(spin, id.as_str(), watch);
        }
        None => append::handler(spin, route, watch),
    }
}

/// Adds what a route's package is made of by now to the globs that were made for it. Where its owner has others,
/// they stay.
fn watch_more(spin: &mut Spin, id: &str, wanted: &[String]) {
    let globs = spin.build_mut(id).and_then(|build| build.get_mut("watch"));
    let Some(globs) = globs.and_then(Item::as_array_mut) else {
        return;
    };
    let watched: Vec<&str> = globs.iter().filter_map(Value::as_str).collect();
    let are_made = watched.len() == globs.len() && watched.iter().all(|glob| watch::is_made(glob));
    if !are_made || watched.first().copied() != wanted.first().map(String::as_str) {
        return;
    }
    let is_new = |glob: &&String| !watched.contains(&glob.as_str());
    let missing: Vec<String> = wanted.iter().filter(is_new).cloned().collect();
    match globs.to_string().contains('\n') {
        true => array::push_all(globs, &missing),
        // As in a new table, however long it gets.
        false => missing.iter().for_each(|glob| globs.push(glob)),
    }
    for glob in missing {
        spin.note(format!("watch `{glob}` for `{id}`"));
    }
}

/// Corrects a source in Cargo's target folder or of another route; anything else is its owner's choice.
fn correct_source(spin: &mut Spin, id: &str, expected: &str) {
    let Some(component) = spin.component_mut(id) else {
        return;
    };
    match component.get_mut("source") {
        Some(Item::Value(source)) => {
            let is_ours =
                |path: &str| normal(path).starts_with("target/") || is_component_file(path);
            if !source.as_str().is_some_and(is_ours)
                || source.as_str().map(normal) == Some(expected)
            {
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
