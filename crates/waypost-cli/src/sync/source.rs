//! Where a component's file is: what `spin.toml` says, or where it is made.

use std::path::PathBuf;

use toml_edit::{DocumentMut, Item};

use crate::app::App;
use crate::component_id::ROUTER;
use crate::scan::Route;

/// Where Cargo puts the router, relative to the app's root.
pub(super) const ROUTER_SOURCE: &str = "target/wasm32-wasip2/release/router.wasm";

/// The component's file as `spin.toml` names it, or the place where it is made when that names
/// none (or none on this machine).
pub fn component_file(app: &App, manifest: &DocumentMut, route: &Route) -> PathBuf {
    source(app, manifest, route.id().as_str(), &route.source())
}

/// The router's file, found in the same way.
pub fn router_file(app: &App, manifest: &DocumentMut) -> PathBuf {
    source(app, manifest, ROUTER, ROUTER_SOURCE)
}

fn source(app: &App, manifest: &DocumentMut, id: &str, default: &str) -> PathBuf {
    let source = manifest
        .get("component")
        .and_then(|components| components.get(id))
        .and_then(|component| component.get("source"))
        .and_then(Item::as_str);
    app.root().join(source.unwrap_or(default))
}
