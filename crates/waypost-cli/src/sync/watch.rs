//! The watch globs of a route for `spin watch`: every Rust file of its package, and of the packages of the app that
//! it uses. A build adds what else the compiler read, such as files of `include_str!`.
//!
//! Spin reads the globs as lines of a `.gitignore` in the app's folder. All of them include files, and none excludes
//! any: folders are named one by one, so that the routes below a route are not included. Packages outside the app are
//! not watched, nor are Waypost's own, which change as rarely as those from a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use toml_edit::{DocumentMut, Item, TableLike};

use waypost_config::read_text_file;

use crate::app::App;
use crate::glob::{escape_glob, unescape_glob};
use crate::route::{COMPONENT_FILE, ROUTE_FILE};

const MANIFEST: &str = "Cargo.toml";

/// The tables of a manifest with the dependencies of a component.
const TABLES: [&str; 2] = ["dependencies", "build-dependencies"];

/// The files and folders from which components were compiled, by component.
pub(crate) type Inputs = BTreeMap<String, BTreeSet<PathBuf>>;

/// Returns the globs for the package of a route in `folder`, its own first.
pub(super) fn globs(app: &App, folder: &str) -> Vec<String> {
    let mut globs = vec![own_glob(folder)];
    for child in folders(app.root(), folder) {
        source_globs(app.root(), &child, &mut globs);
    }
    globs.push(format!("{}/{MANIFEST}", escape_glob(folder)));
    for package in used_packages(app, folder) {
        source_globs(app.root(), &package, &mut globs);
        // A package is skipped when it lies in another one, so its manifest is named here.
        globs.push(format!("{}/{MANIFEST}", escape_glob(&package)));
    }
    globs
}

/// The ends of globs that this module makes.
const RUST_BELOW: &str = "/**/*.rs";
const RUST: &str = "/*.rs";
const ALL: &str = "/**/*";

/// Returns the globs of files and folders from which a component was compiled, as far as they are in the app, which is all that Spin can
/// watch. Waypost's own packages are left out.
pub(super) fn input_globs(app: &App, inputs: &BTreeSet<PathBuf>) -> Vec<String> {
    let roots = [Some(app.root().to_owned()), app.root().canonicalize().ok()];
    // Which route a list belongs to is read off the sources in it, so those of other routes stay out.
    let is_route = |file: &&PathBuf| file.ends_with(ROUTE_FILE) || file.ends_with(COMPONENT_FILE);
    let within = |file: &PathBuf| {
        let mut roots = roots.iter().flatten();
        let file = roots.find_map(|root| file.strip_prefix(root).ok())?;
        let is_own = package_of(app, file).is_none_or(|package| is_watched(app, &package));
        let names: Option<Vec<&str>> = file.iter().map(|name| name.to_str()).collect();
        let glob = escape_glob(&names.filter(|_| is_own)?.join("/"));
        Some(match app.root().join(file).is_dir() {
            true => glob + ALL,
            false => glob,
        })
    };
    let inputs = inputs.iter().filter(|file| !is_route(file));
    inputs.filter_map(within).collect()
}

/// Returns the folder of the package that has a file, or `None` if it belongs to no package.
fn package_of(app: &App, file: &Path) -> Option<String> {
    let mut folders = file.ancestors().skip(1);
    let folder = folders.find(|folder| app.root().join(folder).join(MANIFEST).is_file())?;
    let folder = folder.to_str()?;
    (!folder.is_empty()).then(|| folder.to_owned())
}

/// Returns whether a glob that this module makes matches everything that another one does.
pub(super) fn covers(glob: &str, other: &str) -> bool {
    let below = |folder: &str| other.strip_prefix(folder)?.strip_prefix('/');
    if let Some(folder) = glob.strip_suffix(RUST_BELOW) {
        return other.ends_with(".rs") && below(folder).is_some();
    }
    if let Some(folder) = glob.strip_suffix(RUST) {
        let name = below(folder);
        return other.ends_with(".rs") && name.is_some_and(|name| !name.contains('/'));
    }
    if let Some(folder) = glob.strip_suffix(ALL) {
        return below(folder).is_some();
    }
    glob == other
}

/// Returns whether a glob is one that this module makes.
pub(super) fn is_made(glob: &str) -> bool {
    let mut ends = [RUST_BELOW, RUST, ALL].into_iter();
    let folder = ends.find_map(|end| glob.strip_suffix(end));
    unescape_glob(folder.unwrap_or(glob)).is_some()
}

/// Returns the glob with which the list of the package in `folder` begins.
pub(super) fn own_glob(folder: &str) -> String {
    escape_glob(folder) + RUST
}

/// Adds globs for the Rust files below a folder, without those of packages and routes in it.
fn source_globs(root: &Path, folder: &str, globs: &mut Vec<String>) {
    let glob = escape_glob(folder);
    let tree = Tree::of(root, folder);
    match tree {
        Tree { rust: false, .. } => {}
        Tree { others: false, .. } => globs.push(format!("{glob}/**/*.rs")),
        Tree { .. } => {
            globs.push(format!("{glob}/*.rs"));
            for child in folders(root, folder) {
                source_globs(root, &child, globs);
            }
        }
    }
}

/// The contents of a folder, at any depth.
#[derive(Default)]
struct Tree {
    /// Whether it has Rust files outside of packages in it.
    rust: bool,
    /// Whether it has packages or routes.
    others: bool,
}

impl Tree {
    fn of(root: &Path, folder: &str) -> Tree {
        let mut tree = Tree {
            rust: has_rust(&root.join(folder)),
            others: false,
        };
        for name in names(&root.join(folder), is_folder) {
            let child = format!("{folder}/{name}");
            if is_of_its_own(&root.join(&child)) {
                tree.others = true;
                continue;
            }
            let below = Tree::of(root, &child);
            tree.rust |= below.rust;
            tree.others |= below.others;
        }
        tree
    }
}

/// Returns the folders in a folder that are not packages or routes, sorted.
fn folders(root: &Path, folder: &str) -> Vec<String> {
    let names = names(&root.join(folder), is_folder);
    let children = names.into_iter().map(|name| format!("{folder}/{name}"));
    children
        .filter(|child| !is_of_its_own(&root.join(child)))
        .collect()
}

/// Returns whether the path is a folder. A link is not, because it may form a cycle.
fn is_folder(path: &Path) -> bool {
    path.is_dir() && !path.is_symlink()
}

fn is_of_its_own(folder: &Path) -> bool {
    let has = |file: &str| folder.join(file).is_file();
    has(MANIFEST) || has(ROUTE_FILE) || has(COMPONENT_FILE)
}

fn has_rust(folder: &Path) -> bool {
    let is_rust = |file: &Path| file.extension().is_some_and(|end| end == "rs") && file.is_file();
    !names(folder, is_rust).is_empty()
}

/// Returns the names in a folder, sorted, without files that tools generate.
fn names(folder: &Path, is: impl Fn(&Path) -> bool) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| is(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && name != "target" && name != "node_modules")
        .collect()
}

/// Returns the folders of the packages of the app that a package uses, directly or indirectly, sorted.
fn used_packages(app: &App, folder: &str) -> BTreeSet<String> {
    let mut packages = packages_of(app, [folder]);
    packages.remove(folder);
    packages
}

/// Returns the folders of the packages of the app that these packages use, directly or indirectly, sorted.
pub(crate) fn packages_of<'a>(
    app: &App,
    folders: impl IntoIterator<Item = &'a str>,
) -> BTreeSet<String> {
    let workspace = manifest(&app.cargo_toml());
    let mut found = BTreeSet::new();
    let mut left: Vec<String> = folders.into_iter().map(str::to_owned).collect();
    while let Some(package) = left.pop() {
        let Some(manifest) = manifest(&app.root().join(&package).join(MANIFEST)) else {
            continue;
        };
        for used in paths(&manifest, &package, workspace.as_ref()) {
            if is_watched(app, &used) && found.insert(used.clone()) {
                left.push(used);
            }
        }
    }
    found
}

fn manifest(file: &Path) -> Option<DocumentMut> {
    read_text_file(file).ok()?.parse().ok()
}

fn is_watched(app: &App, package: &str) -> bool {
    let manifest = manifest(&app.root().join(package).join(MANIFEST));
    let package = manifest.as_ref().and_then(|found| found.get("package"));
    let name = package.and_then(|package| package.get("name")?.as_str());
    name.is_some_and(|name| name != "waypost" && !name.starts_with("waypost-"))
}

/// Returns the folders of path dependencies, as far as they are in the app.
fn paths(manifest: &DocumentMut, package: &str, workspace: Option<&DocumentMut>) -> Vec<String> {
    let of_targets = manifest.get("target").and_then(Item::as_table_like);
    let of_targets = of_targets.into_iter().flat_map(|targets| targets.iter());
    let tables = of_targets
        .filter_map(|(_, target)| target.as_table_like())
        .chain([manifest.as_table() as &dyn TableLike]);
    let dependencies = tables
        .flat_map(|tables| TABLES.map(|name| tables.get(name)))
        .filter_map(|table| table?.as_table_like());
    dependencies
        .flat_map(|table| table.iter())
        .filter_map(|(name, item)| path(name, item, package, workspace))
        .collect()
}

fn path(
    name: &str,
    dependency: &Item,
    package: &str,
    workspace: Option<&DocumentMut>,
) -> Option<String> {
    let dependency = dependency.as_table_like()?;
    if let Some(path) = dependency.get("path").and_then(Item::as_str) {
        return within_the_app(package, path);
    }
    dependency.get("workspace").and_then(Item::as_bool)?;
    let shared = workspace?
        .get("workspace")?
        .get("dependencies")?
        .get(name)?;
    within_the_app("", shared.as_table_like()?.get("path")?.as_str()?)
}

/// Resolves a path relative to a folder of the app. Returns `None` if it leads out of the app, or to its root.
fn within_the_app(folder: &str, path: &str) -> Option<String> {
    let mut found = PathBuf::from(folder);
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => found.push(name),
            Component::CurDir => {}
            Component::ParentDir if found.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let names: Option<Vec<&str>> = found.iter().map(|name| name.to_str()).collect();
    names
        .map(|names| names.join("/"))
        .filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(files: &[(&str, &str)]) -> (tempfile::TempDir, App) {
        let folder = tempfile::tempdir().unwrap();
        let needed = [("spin.toml", ""), ("Cargo.toml", "[workspace]\n")];
        for (file, text) in needed.iter().chain(files) {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let app = App::at(folder.path()).unwrap();
        (folder, app)
    }

    #[test]
    fn a_route_is_watched_without_the_routes_below_it() {
        let (_folder, app) = app(&[
            ("handlers/a/Cargo.toml", ""),
            ("handlers/a/route.rs", ""),
            ("handlers/a/model/mod.rs", ""),
            ("handlers/a/model/deep/more.rs", ""),
            ("handlers/a/mixed/x/y.rs", ""),
            ("handlers/a/mixed/[z]/route.rs", ""),
            ("handlers/a/mixed/[z]/Cargo.toml", ""),
            ("handlers/a/component/route.wasm", ""),
            ("handlers/a/component/helper.rs", ""),
            ("handlers/a/notes/text.md", ""),
        ]);
        assert_eq!(
            globs(&app, "handlers/a"),
            [
                "handlers/a/*.rs",
                "handlers/a/mixed/*.rs",
                "handlers/a/mixed/x/**/*.rs",
                "handlers/a/model/**/*.rs",
                "handlers/a/Cargo.toml",
            ]
        );
        assert_eq!(
            globs(&app, "handlers/a/mixed/[z]"),
            [
                "handlers/a/mixed/[[]z[]]/*.rs",
                "handlers/a/mixed/[[]z[]]/Cargo.toml",
            ]
        );
    }

    #[test]
    fn inputs_in_the_app_are_watched() {
        let (folder, app) = app(&[
            ("handlers/[a]/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("handlers/[a]/page.html", ""),
            ("handlers/[a]/route.rs", ""),
            ("sdk/Cargo.toml", "[package]\nname = \"waypost\"\n"),
            ("sdk/lib.md", ""),
            ("migrations/1.sql", ""),
            ("shared.txt", ""),
        ]);
        let files = [
            "handlers/[a]/page.html",
            "handlers/[a]/route.rs",
            "sdk/lib.md",
            "migrations",
            "shared.txt",
        ];
        let mut inputs: BTreeSet<PathBuf> =
            files.iter().map(|file| folder.path().join(file)).collect();
        inputs.insert("/elsewhere/page.html".into());
        let globs = input_globs(&app, &inputs);
        let expected = [
            "handlers/[[]a[]]/page.html",
            "migrations/**/*",
            "shared.txt",
        ];
        assert_eq!(globs, expected);
        assert!(globs.iter().all(|glob| is_made(glob)));
    }

    #[test]
    fn a_glob_covers_others() {
        for (glob, other, is_covered) in [
            ("a/*.rs", "a/route.rs", true),
            ("a/*.rs", "a/b/route.rs", false),
            ("a/*.rs", "a/page.html", false),
            ("a/**/*.rs", "a/b/route.rs", true),
            ("a/**/*.rs", "a/b/**/*.rs", true),
            ("a/**/*.rs", "ab/route.rs", false),
            ("a/**/*", "a/b/1.sql", true),
            ("[[]a[]]/*.rs", "[[]a[]]/route.rs", true),
            ("a/page.html", "a/page.html", true),
        ] {
            assert_eq!(covers(glob, other), is_covered, "{glob} {other}");
        }
        for (glob, is_ours) in [
            ("a/*.html", false),
            ("a/**/*", true),
            ("a/page.html", true),
            ("**/*", false),
        ] {
            assert_eq!(is_made(glob), is_ours, "{glob}");
        }
    }

    #[test]
    fn the_packages_of_the_app_that_it_uses_are_watched() {
        let named = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}");
        let route = "[dependencies]\none = { path = \"../_one\" }\nthree.workspace = true\n\
            waypost = { path = \"../../sdk\" }\nout = { path = \"../../../out\" }\n\
            [target.'cfg(unix)'.build-dependencies.two]\npath = \"../_two\"\n";
        let workspace = "[workspace.dependencies]\nthree = { path = \"./shared/three\" }\n";
        let files = [
            ("Cargo.toml", workspace.to_owned()),
            ("handlers/a/Cargo.toml", named("a", route)),
            ("handlers/a/route.rs", String::new()),
            (
                "handlers/_one/Cargo.toml",
                named("one", "[dependencies]\ntwo = { path = \"../_two\" }\n"),
            ),
            ("handlers/_one/src/lib.rs", String::new()),
            (
                "handlers/_two/Cargo.toml",
                named("two", "[dependencies]\none = { path = \"../_one\" }\n"),
            ),
            ("handlers/_two/two.rs", String::new()),
            ("shared/three/Cargo.toml", named("three", "")),
            ("shared/three/lib.rs", String::new()),
            ("sdk/Cargo.toml", named("waypost", "")),
            ("sdk/lib.rs", String::new()),
        ];
        let files: Vec<_> = files
            .iter()
            .map(|(file, text)| (*file, text.as_str()))
            .collect();
        let (_folder, app) = app(&files);
        assert_eq!(
            globs(&app, "handlers/a"),
            [
                "handlers/a/*.rs",
                "handlers/a/Cargo.toml",
                "handlers/_one/**/*.rs",
                "handlers/_one/Cargo.toml",
                "handlers/_two/**/*.rs",
                "handlers/_two/Cargo.toml",
                "shared/three/**/*.rs",
                "shared/three/Cargo.toml",
            ]
        );
    }
}
