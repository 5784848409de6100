//! Reads the packages in the app's `Cargo.lock`.

use anyhow::Context as _;
use toml_edit::{DocumentMut, Item};
use waypost_config::Fault;

use crate::app::App;
use crate::route::{Route, RouteKind};

/// A package in `Cargo.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    version: String,
    /// Whether it comes from a registry or a repository, and not from a folder.
    is_dependency: bool,
}

/// Returns the packages, or none if the app was never built.
///
/// # Errors
///
/// When the file exists and cannot be read, or is not valid TOML.
pub fn packages(app: &App) -> anyhow::Result<Vec<LockedPackage>> {
    let file = app.root().join("Cargo.lock");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let text = waypost_config::read_text_file(&file).context("cannot read `Cargo.lock`")?;
    let lock: DocumentMut = text.parse().context("`Cargo.lock` is not valid TOML")?;
    let packages = lock.get("package").and_then(Item::as_array_of_tables);
    let package = |table: &toml_edit::Table| {
        let text = |key: &str| Some(table.get(key)?.as_str()?.to_owned());
        Some(LockedPackage {
            name: text("name")?,
            version: text("version").unwrap_or_default(),
            is_dependency: table.contains_key("source"),
        })
    };
    Ok(packages.into_iter().flatten().filter_map(package).collect())
}

/// Returns a warning for each route whose package has the name of a dependency: Waypost builds it, but `cargo build -p NAME` is
/// ambiguous.
pub fn ambiguous(routes: &[Route], packages: &[LockedPackage]) -> Vec<Fault> {
    let warning = |route: &Route| {
        let id = route.id().as_str();
        let is_same = |package: &&LockedPackage| package.is_dependency && package.name == id;
        let dependency = packages.iter().find(is_same)?;
        let message = format!(
            "the package `{id}` has the same name as a dependency, `{id} {}`",
            dependency.version
        );
        let hint = format!(
            "`cargo waypost` and `spin build` build the right one; rename the package, for example to `{id}-route`, if you need \
             `cargo … -p {id}`"
        );
        let file = format!("{}/Cargo.toml", route.folder());
        Some(Fault::warning(message).file(file).hint(hint))
    };
    let sources = routes
        .iter()
        .filter(|route| route.kind() == RouteKind::Source);
    sources.filter_map(warning).collect()
}
