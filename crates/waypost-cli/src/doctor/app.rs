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
use crate::scan::Route;
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
}

impl AppReport {
    /// Reads the components of an app. `manifest` is its `spin.toml`, which says where they are.
    pub fn of(app: &App, routes: &[Route], manifest: &DocumentMut) -> AppReport {
        let router = Part::read(app, ROUTER, None, &router_file(app, manifest));
        let parts = routes.iter().map(|route| {
            let file = component_file(app, manifest, route);
            let pattern = Some(route.pattern().to_string());
            Part::read(app, route.id().as_str(), pattern, &file)
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
    fn read(app: &App, id: &str, pattern: Option<String>, file: &Path) -> Part {
        let shown = file.strip_prefix(app.root()).unwrap_or(file).display();
        let mut part = Part {
            component: id.to_owned(),
            pattern,
            file: shown.to_string(),
            wasi: None,
            bytes: None,
            imports: BTreeMap::new(),
            fault: None,
            anatomy: Anatomy::default(),
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
            Some(Abi::Wasi02) => self.wasi = Some("0.2".to_owned()),
            Some(Abi::Wasi03) => self.wasi = Some("0.3".to_owned()),
            None => {
                self.fault = Some("answers no HTTP: no WASI HTTP handler is exported".to_owned())
            }
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
