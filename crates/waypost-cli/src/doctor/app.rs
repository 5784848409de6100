//! The components of an app, and what they require of a host.

use std::fs;
use std::path::Path;

use serde::Serialize;
use toml_edit::DocumentMut;

use crate::abi::Abi;
use crate::app::App;
use crate::component_id::ROUTER;
use crate::compose::standard;
use crate::describe::{self, DescribeError};
use crate::environment::Environments;
use crate::route::{Route, RouteKind};
use crate::spin_toml::{component_file, router_file};

/// The components of an app.
#[derive(Debug, Clone, Serialize)]
pub struct AppReport {
    /// The app's folder.
    pub root: String,
    /// The router, then the routes.
    pub components: Vec<Part>,
}

/// A component of an app.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Part {
    /// Its id in `spin.toml`.
    pub component: String,
    /// The pattern of a route, or `None` for the router.
    pub pattern: Option<String>,
    /// Its file, relative to the app's folder.
    pub file: String,
    /// The version of WASI HTTP that it handles, such as `0.3`, or `None` if it is not built or handles none.
    pub wasi: Option<&'static str>,
    /// Its size in bytes, or `None` if it is not built.
    pub bytes: Option<u64>,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// Its fault, if it has one.
    pub fault: Option<String>,
    /// The number of its memories.
    #[serde(skip)]
    pub memories: usize,
    /// Whether it is a `route.wasm`, which can't be built for another version.
    #[serde(skip)]
    pub is_prebuilt: bool,
    /// Whether `spin.toml` gives it environment variables.
    #[serde(skip)]
    pub has_environment: bool,
}

impl AppReport {
    /// Reads the components of an app from the files named in `manifest`, its `spin.toml`.
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

    /// Returns whether the router caches responses: for nothing else it needs a key-value store.
    pub(super) fn has_cached_router(&self) -> bool {
        let mut routers = self.components.iter().filter(|part| part.pattern.is_none());
        let is_store = |name: &String| name.starts_with("spin:key-value/");
        routers.any(|router| router.imports.iter().any(is_store))
    }

    /// Returns the components of routes.
    pub fn routes(&self) -> impl Iterator<Item = &Part> {
        self.components.iter().filter(|part| part.pattern.is_some())
    }
}

impl Part {
    fn read(app: &App, id: &str, file: &Path) -> Part {
        let shown = file.strip_prefix(app.root()).unwrap_or(file).display();
        let mut part = Part {
            component: id.to_owned(),
            file: shown.to_string(),
            bytes: fs::metadata(file).ok().map(|metadata| metadata.len()),
            ..Part::default()
        };
        match describe::anatomy(file) {
            Ok(anatomy) => {
                match Abi::of(&anatomy.exports) {
                    Ok(abi) => part.wasi = Some(abi.version()),
                    Err(none) => part.fault = Some(none.to_string()),
                }
                part.memories = anatomy.memories;
                part.imports = anatomy.imports;
            }
            Err(DescribeError::Read { .. }) if part.bytes.is_none() => {
                part.fault = Some("not built".to_owned());
            }
            Err(error) => part.fault = Some(error.to_string()),
        }
        part
    }

    /// Returns the interfaces that it imports beyond those of plain WASI HTTP.
    pub fn foreign(&self) -> impl Iterator<Item = &str> {
        let imports = self.imports.iter().map(String::as_str);
        imports.filter(|import| !standard::is_met(import))
    }
}
