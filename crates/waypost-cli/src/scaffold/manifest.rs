//! Dependencies and keys of new manifests: a package inherits from its workspace, a workspace from this repository.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike};

/// What a new app shares with this repository's workspace manifest: versions and the release profile.
const OURS: &str = include_str!("../../templates/workspace.toml");

/// Returns what a new app shares with this repository's workspace manifest.
#[expect(
    clippy::expect_used,
    reason = "a test compares this text with a manifest that Cargo reads"
)]
pub(super) fn ours() -> DocumentMut {
    OURS.parse()
        .expect("a test compares this text with a manifest that Cargo reads")
}

/// Returns `{ workspace = true }`, written with a dot.
pub(super) fn from_workspace() -> Table {
    let mut table = Table::new();
    table.set_dotted(true);
    table.insert("workspace", true.into());
    table
}

/// Returns `[lints]` that come from the workspace.
pub(super) fn lints() -> Table {
    let mut table = from_workspace();
    table.set_dotted(false);
    table
}

/// Adds a key of `[package]`: inherited if the workspace has it, else with a default.
pub(super) fn inherit_or(
    package: &mut Table,
    workspace: &DocumentMut,
    key: &str,
    default: Option<&str>,
) {
    match (workspace_item(workspace, "package", key), default) {
        (Some(_), _) => {
            package.insert(key, Item::Table(from_workspace()));
        }
        (None, Some(default)) => {
            package.insert(key, default.into());
        }
        (None, None) => {}
    }
}

/// Returns a dependency: inherited if the workspace has it, else as in this repository.
pub(super) fn dependency(name: &str, workspace: &DocumentMut) -> Item {
    match workspace_item(workspace, "dependencies", name) {
        Some(_) => Item::Table(from_workspace()),
        None => workspace_dependency(name, super::checkout().as_deref()),
    }
}

/// Returns a dependency of a new workspace: with the version of this repository, or by path for this repository's own
/// crates if `checkout` is there.
pub(super) fn workspace_dependency(name: &str, checkout: Option<&Path>) -> Item {
    let ours = ours();
    let Some(item) = workspace_item(&ours, "dependencies", name) else {
        return env!("CARGO_PKG_VERSION").into();
    };
    let mut item = item.clone();
    if let Some(table) = item.as_table_like_mut() {
        relocate(table, checkout);
    }
    if let Some(value) = item.as_value_mut() {
        value.decor_mut().clear();
    }
    item
}

/// Replaces a path by an absolute one, or by a version.
fn relocate(table: &mut dyn TableLike, checkout: Option<&Path>) {
    let Some(path) = table.get("path").and_then(Item::as_str) else {
        return;
    };
    match checkout {
        Some(checkout) => {
            let path = checkout.join(path).display().to_string();
            table.insert("path", path.into());
        }
        None => {
            table.remove("path");
            table.insert("version", env!("CARGO_PKG_VERSION").into());
        }
    }
}

/// Returns the names of the dependencies that a manifest inherits from its workspace.
pub(super) fn inherited(manifest: &DocumentMut) -> Vec<String> {
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let inherits = |item: &Item| {
        let workspace = item.as_table_like().and_then(|item| item.get("workspace"));
        workspace.and_then(Item::as_bool) == Some(true)
    };
    let mut names: Vec<String> = tables
        .iter()
        .filter_map(|table| manifest.get(table)?.as_table_like())
        .flat_map(|table| table.iter())
        .filter(|(_, item)| inherits(item))
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Returns an entry of `[workspace.<table>]`.
pub(super) fn workspace_item<'a>(
    workspace: &'a DocumentMut,
    table: &str,
    key: &str,
) -> Option<&'a Item> {
    workspace.get("workspace")?.get(table)?.get(key)
}

/// Returns an item in its form for an inline table.
pub(super) fn inline(item: Item) -> Item {
    match item.into_value() {
        Ok(value) => Item::Value(value),
        Err(item) => item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_crates_are_a_path_or_a_version() {
        let by_path = workspace_dependency("waypost", Some(Path::new("/src/waypost")));
        let path = by_path.get("path").and_then(Item::as_str);
        assert_eq!(path, Some("/src/waypost/crates/waypost"));
        let by_version = workspace_dependency("waypost", None);
        assert!(by_version.get("path").is_none());
        let version = by_version.get("version").and_then(Item::as_str);
        assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn inherited_dependencies_are_found_in_both_spellings() {
        let manifest = "[dependencies]\na.workspace = true\nb = { workspace = true }\nc = \"1\"\n";
        assert_eq!(inherited(&manifest.parse().unwrap()), ["a", "b"]);
    }
}
