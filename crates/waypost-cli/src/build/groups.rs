//! Groups of routes that one run of Cargo may build.
//!
//! Cargo compiles a dependency once for all packages of a run, with the features that any of them asks for. A route would then be another
//! component beside other routes, and `spin build`, which builds each route alone, would compile everything again. So a run builds only
//! routes whose manifests ask for the same: then each component is the one that it would be alone. (Cargo's own
//! `resolver.feature-unification = "package"` does this in one run, but is not stable yet.)

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Value};
use waypost_config::read_text_file;

use super::cargo::Package;

/// The tables of a manifest that decide which features dependencies have.
const TABLES: [&str; 4] = ["dependencies", "build-dependencies", "features", "target"];

/// Returns the packages in groups with equal dependencies.
pub(super) fn of(packages: Vec<Package>) -> Vec<Vec<Package>> {
    let mut groups: BTreeMap<String, Vec<Package>> = BTreeMap::new();
    for package in packages {
        let wanted = wanted(package.folder());
        groups.entry(wanted).or_default().push(package);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    // The largest first, because it compiles most of what the others need too.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

/// Describes the dependencies of the package in a folder. Equal descriptions mean equal features.
fn wanted(folder: &Path) -> String {
    let manifest = read_text_file(folder.join("Cargo.toml")).ok();
    let manifest: Option<DocumentMut> = manifest.and_then(|text| text.parse().ok());
    match manifest {
        Some(manifest) => TABLES
            .iter()
            .filter_map(|name| Some(format!("{name}={}", plain(manifest.get(name)?, folder))))
            .collect(),
        // Cargo says what is wrong with it.
        None => folder.display().to_string(),
    }
}

/// Writes an item without comments and white space, with sorted keys and with absolute paths.
fn plain(item: &Item, folder: &Path) -> String {
    if let Some(table) = item.as_table_like() {
        let entries: BTreeMap<&str, String> = table
            .iter()
            .map(|(key, item)| (key, plain_entry(key, item, folder)))
            .collect();
        return format!("{entries:?}");
    }
    match item.as_value() {
        Some(Value::Array(array)) => {
            let mut items: Vec<String> = array.iter().map(plain_value).collect();
            items.sort();
            format!("{items:?}")
        }
        Some(value) => plain_value(value),
        None => item.to_string(),
    }
}

fn plain_entry(key: &str, item: &Item, folder: &Path) -> String {
    match item.as_str() {
        Some(path) if key == "path" => {
            let path = folder.join(path);
            let path = path.canonicalize().unwrap_or(path);
            path.display().to_string()
        }
        _ => plain(item, folder),
    }
}

fn plain_value(value: &Value) -> String {
    let mut value = value.clone();
    value.decor_mut().clear();
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn routes_with_equal_dependencies_are_built_together() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("_shared")).unwrap();
        let package = |name: &str, rest: &str| {
            let folder = root.join(name);
            fs::create_dir_all(&folder).unwrap();
            let text = format!("[package]\nname = \"{}\"\n{rest}", name.replace('/', "-"));
            fs::write(folder.join("Cargo.toml"), text).unwrap();
            Package::in_folder(name, folder)
        };
        let packages = vec![
            package(
                "a",
                "[dependencies]\nwaypost.workspace = true\nshared = { path = \"../_shared\" }\n",
            ),
            package(
                "b",
                "[dependencies]\nwaypost = { workspace = true, features = [\"tower\"] }\n",
            ),
            package(
                "c/d",
                "[dependencies] # Two.\nshared = { path = \"../../_shared\" }\nwaypost = { workspace = true }\n",
            ),
            package("e", "[dependencies]\nwaypost.workspace = true\n"),
            package(
                "f",
                "[dependencies.waypost]\nfeatures = [ \"tower\" ]\nworkspace = true\n",
            ),
            package(
                "g",
                "[dependencies]\nwaypost.workspace = true\n[features]\ndefault = [\"waypost/tower\"]\n",
            ),
            package("h", "not TOML"),
        ];
        let groups: Vec<Vec<String>> = of(packages)
            .into_iter()
            .map(|group| group.into_iter().map(|package| package.name).collect())
            .collect();
        let mut sorted = groups.clone();
        sorted.sort();
        let expected = [
            vec!["a", "c/d"],
            vec!["b", "f"],
            vec!["e"],
            vec!["g"],
            vec!["h"],
        ];
        assert_eq!(sorted, expected);
        assert_eq!(groups[0].len(), 2);
    }
}
