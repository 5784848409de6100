//! Synchronises the routes in `spin.toml`: each has a private trigger, a component and its build.
//!
//! First, entries of removed routes are removed, then entries of renamed or moved routes are updated, then missing
//! entries are appended. A component belongs to a route if its source is a `route.wasm` below `handlers/`, or if its
//! build works in (or watches) a folder there; all others are left alone. A source outside of `target/` is left alone
//! too, because its owner wants the component copied there.
//!
//! New build tables have no `workdir`. `spin watch` puts it in front of each watch glob without escaping it
//! (`create_source_globs` in Spin's `watch/filters.rs`), so a folder with brackets would match the wrong files;
//! commands and watch globs are relative to the app instead. `sync/watch.rs` makes the globs.

use toml_edit::{Item, Table, TableLike, Value};

use super::manifest::{Manifest, replace};
use super::{Edited, Inputs, SyncError, array, watch};
use crate::app::App;
use crate::glob::escape_glob;
use crate::route::{COMPONENT_FILE, Route};
use crate::spin_toml::{folder_of, folder_of_source, is_component_file, normal, text_at};

mod append;
mod cache;
mod document;
mod kind;
mod router;

pub(crate) use cache::Caching;
use document::Spin;
use waypost_config::ComponentId;

/// Synchronises the manifest of an app, `text`. The second value is the warnings.
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

/// Adds the files from which components were compiled to their watch lists, as far as the lists lack them.
pub(super) fn watch_inputs(text: &str, app: &App, inputs: &Inputs) -> Result<Edited, SyncError> {
    let mut spin = Spin::new(Manifest::parse(document::FILE, text)?)?;
    for (id, files) in inputs {
        let folder = spin.component(id).and_then(folder_of);
        let own = folder.map(|folder| watch::own_glob(&folder));
        if first_glob(&mut spin, id) == own {
            add_globs(&mut spin, id, &watch::input_globs(app, files));
        }
    }
    Ok(spin.finish())
}

/// Writes into the manifest of an app what the router needs to cache responses, or removes it if no route has a policy.
pub(super) fn cache(text: &str, caching: &Caching) -> Result<Edited, SyncError> {
    let mut spin = Spin::new(Manifest::parse(document::FILE, text)?)?;
    cache::follow(&mut spin, caching);
    Ok(spin.finish())
}

/// Returns the shell command that builds the package in `folder` from the app's root.
///
/// The package is named by its manifest, because a dependency may have the same name. The target folder is named so that the component
/// is where `source` says, whatever `CARGO_TARGET_DIR` or Cargo's configuration say.
fn build_command(folder: &str) -> String {
    let manifest = shell_word(&format!("{folder}/Cargo.toml"));
    format!(
        "cargo build --target wasm32-wasip2 --release --target-dir target --manifest-path {manifest}"
    )
}

/// Returns the command that builds the router in `folder` with the response cache.
fn cached_build_command(folder: &str) -> String {
    let feature = format!("--release --features {CACHE_FEATURE}");
    build_command(folder).replacen("--release", &feature, 1)
}

/// The feature of the router with the response cache.
pub(crate) const CACHE_FEATURE: &str = "waypost-router/cache";

/// Returns the command that earlier versions wrote.
fn earlier_command(package: &str) -> String {
    format!("cargo build --target wasm32-wasip2 --release -p {package}")
}

/// Quotes a word for the shells of Spin's build (`sh`, or `cmd` on Windows).
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        if "\\\"$`".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

/// Returns whether a component is built by Cargo. Other builds belong to their owner.
fn is_built_by_cargo(component: &dyn TableLike) -> bool {
    let build = component.get("build").and_then(Item::as_table_like);
    let command = build.and_then(|build| text_at(build, "command"));
    command.is_some_and(|command| command.starts_with("cargo build"))
}

/// Renames the component of a renamed package, and keeps everything that its owner wrote there.
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
    spin.note(format!("rename component `{old}` to `{new}`"));
}

/// Removes components whose folder below `handlers/` is no longer a route.
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
                "the component `{id}` belongs to `{gone}`, which does not exist"
            ));
        }
    }
}

/// Returns the removed file or folder from which a component was made, or `None` if it still exists.
fn vanished(component: &dyn TableLike, has_file: &dyn Fn(&str) -> bool) -> Option<String> {
    if let Some(folder) = folder_of_source(component) {
        // A build can make the file again.
        let file = format!("{folder}/{COMPONENT_FILE}");
        return (!component.contains_key("build") && !has_file(&file)).then_some(file);
    }
    let folder = folder_of(component).filter(|_| is_built_by_cargo(component))?;
    (!has_package(has_file, &folder)).then_some(folder)
}

fn has_package(has_file: &dyn Fn(&str) -> bool, folder: &str) -> bool {
    has_file(&format!("{folder}/Cargo.toml"))
}

/// Updates the build of a component whose folder was renamed.
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
    if let Some(command) = build.get_mut("command").and_then(Item::as_value_mut)
        && command.as_str() == Some(build_command(old).as_str())
    {
        replace(command, build_command(new));
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

/// Adds the component and the private trigger of a route, or corrects them.
fn ensure(spin: &mut Spin, route: &Route, watch: &[String]) {
    let id = route.id();
    let has_trigger = spin.triggers_of(id.as_str()).next().is_some();
    if !has_trigger {
        append::private_trigger(spin, id);
    }
    match spin.component(id.as_str()) {
        Some(_) => {
            correct_source(spin, id.as_str(), &route.source());
            correct_command(spin, id.as_str(), route.folder());
            watch_more(spin, id.as_str(), watch);
        }
        None => append::handler(spin, route, watch),
    }
}

/// Adds new globs to a watch list made by `sync/watch.rs`, which begins with the same glob.
fn watch_more(spin: &mut Spin, id: &str, wanted: &[String]) {
    if first_glob(spin, id).as_ref() == wanted.first() {
        add_globs(spin, id, wanted);
    }
}

fn first_glob(spin: &mut Spin, id: &str) -> Option<String> {
    let globs = spin.build_mut(id)?.get("watch")?.as_array()?;
    Some(globs.get(0)?.as_str()?.to_owned())
}

/// Adds globs that a watch list lacks. A list that its owner changed stays as it is.
fn add_globs(spin: &mut Spin, id: &str, wanted: &[String]) {
    let globs = spin.build_mut(id).and_then(|build| build.get_mut("watch"));
    let Some(globs) = globs.and_then(Item::as_array_mut) else {
        return;
    };
    let watched: Vec<&str> = globs.iter().filter_map(Value::as_str).collect();
    let are_made = watched.len() == globs.len() && watched.iter().all(|glob| watch::is_made(glob));
    if !are_made {
        return;
    }
    let is_new = |glob: &&String| !watched.iter().any(|watched| watch::covers(watched, glob));
    let missing: Vec<String> = wanted.iter().filter(is_new).cloned().collect();
    match globs.to_string().contains('\n') {
        true => array::push_all(globs, &missing),
        // A new table has one line as well, however long it gets.
        false => missing.iter().for_each(|glob| globs.push(glob)),
    }
    for glob in missing {
        spin.note(format!("watch `{glob}` for `{id}`"));
    }
}

/// Corrects a source in Cargo's target folder or of another route. Any other source is its owner's choice.
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

/// Replaces a build command of an earlier version. Any other command is its owner's choice.
fn correct_command(spin: &mut Spin, id: &str, folder: &str) {
    let build = spin.build_mut(id);
    let command = build.and_then(|build| build.get_mut("command")?.as_value_mut());
    let Some(command) = command.filter(|found| found.as_str() == Some(&earlier_command(id))) else {
        return;
    };
    replace(command, build_command(folder));
    spin.note(format!("build `{id}` by its manifest, into `target`"));
}

/// Returns whether only other components reach a component.
fn is_private(spin: &Spin, id: &str) -> bool {
    let is_private = |trigger: &Table| {
        let route = trigger.get("route").and_then(Item::as_table_like);
        let private = route.and_then(|route| route.get("private"));
        private.and_then(Item::as_bool) == Some(true)
    };
    spin.triggers_of(id).all(is_private)
}

/// Returns a warning for each handler that can be reached without the router.
fn public_handlers(spin: &Spin, routes: &[Route]) -> Vec<String> {
    let public = |route: &&Route| !is_private(spin, route.id().as_str());
    routes
        .iter()
        .filter(public)
        .map(|route| {
            format!(
                "`{}` of `{}` has a public trigger, so clients can bypass the router (`route = {{ private = true }}` closes it)",
                document::FILE,
                route.id()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_command_names_the_manifest_and_the_target_folder() {
        let begin =
            "cargo build --target wasm32-wasip2 --release --target-dir target --manifest-path ";
        for (folder, word) in [
            ("handlers", "handlers/Cargo.toml"),
            ("handlers/[a]/time", "\"handlers/[a]/time/Cargo.toml\""),
            ("handlers/$x`", "\"handlers/\\$x\\`/Cargo.toml\""),
        ] {
            assert_eq!(build_command(folder), format!("{begin}{word}"));
        }
    }
}
