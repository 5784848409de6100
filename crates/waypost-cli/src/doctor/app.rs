//! What the components of an app are, and what they ask of a host.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use toml_edit::DocumentMut;

use crate::abi::Abi;
use crate::anatomy::Anatomy;
use crate::app::App;
use crate::component_id::ROUTER;
use crate::compose::standard;
use crate::describe::DescribeError;
use crate::environment::Environments;
use crate::scan::{Route, RouteKind};
use crate::sync::{component_file, router_file};

/// The components of an app: the router, then the routes.
#[derive(Debug, Clone, Serialize)]
pub struct AppReport {
    /// The app's folder.
    pub root: String,
    /// The router and the routes.
    pub components: Vec<Part>,
}

/// A component of an app.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// Its name in `spin.toml`.
    pub component: String,
    /// Its pattern; none of the router.
    pub pattern: Option<String>,
    /// Its file, below the app's folder.
    pub file: String,
    /// The version of WASI HTTP that it answers, as `0.3`; none where it is not built, or answers none.
    pub wasi: Option<String>,
    /// Its size in bytes; none where it is not built.
    pub bytes: Option<u64>,
    /// The interfaces that it imports, by their package.
    pub imports: BTreeMap<String, Vec<String>>,
    /// What is wrong with it.
    pub fault: Option<String>,
    /// What it is made of; empty where it is not built.
    #[serde(skip)]
    pub anatomy: Anatomy,
    /// The version of WASI HTTP that it answers.
    #[serde(skip)]
    pub abi: Option<Abi>,
    /// Whether it is a `route.wasm`, which no build makes for another version.
    #[serde(skip)]
    pub is_prebuilt: bool,
    /// Whether `spin.toml` gives it an environment.
    #[serde(skip)]
    pub has_environment: bool,
}

impl AppReport {
    /// Reads the components of an app. `manifest` is its `spin.toml`, which says where they are.
    pub fn of(
        app: &App,
        routes: &[Route],
        manifest: &DocumentMut,
        environments: &Environments,
    ) -> AppReport {
        let router = Part::read(app, ROUTER, &router_file(app, manifest));
        let parts = routes.iter().map(|route| {
            let id = route.id().as_str();
            Part {
                pattern: Some(route.pattern().to_string()),
                is_prebuilt: route.kind() == RouteKind::Component,
                has_environment: environments.contains_key(id),
                ..Part::read(app, id, &component_file(app, manifest, route))
            }
        });
        AppReport {
            root: app.root().display().to_string(),
            components: [router].into_iter().chain(parts).collect(),
        }
    }

    /// The components of routes.
    pub fn routes(&self) -> impl Iterator<Item = &Part> {
        self.components.iter().filter(|part| part.pattern.is_some())
    }
}

impl Part {
    fn read(app: &App, id: &str, file: &Path) -> Part {
        let shown = file.strip_prefix(app.root()).unwrap_or(file).display();
        let mut part = Part {
            component: id.to_owned(),
            pattern: None,
            file: shown.to_string(),
            wasi: None,
            bytes: None,
            imports: BTreeMap::new(),
            fault: None,
            anatomy: Anatomy::default(),
            abi: None,
            is_prebuilt: false,
            has_environment: false,
        };
        part.bytes = fs::metadata(file).ok().map(|metadata| metadata.len());
        match Anatomy::read(file) {
            Ok(anatomy) => part.take(anatomy),
            Err(DescribeError::Read { .. }) if part.bytes.is_none() => {
                part.fault = Some("not built".to_owned());
            }
            Err(error) => part.fault = Some(error.to_string()),
        }
        part
    }

    fn take(&mut self, anatomy: Anatomy) {
        match Abi::of(&anatomy.exports) {
            Ok(abi) => {
                self.abi = Some(abi);
                self.wasi = Some(abi.version().to_owned());
            }
            Err(none) => self.fault = Some(none.to_string()),
        }
        self.imports = packages(&anatomy.imports);
        self.anatomy = anatomy;
    }

    /// The interfaces that it imports beyond those of plain WASI HTTP.
    pub fn foreign(&self) -> impl Iterator<Item = &str> {
        let imports = self.anatomy.imports.iter().map(String::as_str);
        imports.filter(|import| !standard::is_met(import))
    }
}

/// `wasi:http/types@0.3.0` is `types` of `wasi:http@0.3.0`. A plain name has no package.
fn packages(imports: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for import in imports {
        let (package, interface) = match import.split_once('/') {
            Some((package, interface)) => match interface.split_once('@') {
                Some((interface, version)) => (format!("{package}@{version}"), interface),
                None => (package.to_owned(), interface),
            },
            None => (import.clone(), ""),
        };
        packages
            .entry(package)
            .or_default()
            .push(interface.to_owned());
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_grouped_by_package() {
        let imports = [
            "wasi:http/types@0.3.0",
            "wasi:http/client@0.3.0",
            "wasi:http/types@0.2.6",
            "a:b/c",
            "plain",
        ];
        let found = packages(&imports.map(str::to_owned));
        let keys: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(keys, ["a:b", "plain", "wasi:http@0.2.6", "wasi:http@0.3.0"]);
        assert_eq!(found["wasi:http@0.3.0"], ["types", "client"]);
    }
}
