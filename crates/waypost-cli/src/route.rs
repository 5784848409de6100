//! A route of an app: its folder, its pattern, its component, and how that is made.
//!
//! [`crate::scan`] makes routes of folders; everything else takes them as they are.

use waypost_config::ComponentId;
use waypost_routing::Pattern;

use crate::component_id;

/// The file that makes a folder a route.
pub const ROUTE_FILE: &str = "route.rs";

/// The file that makes a folder a route without a build: a component made elsewhere.
pub const COMPONENT_FILE: &str = "route.wasm";

/// How the component of a route is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// Compiled from `route.rs` by a build.
    Source,
    /// A `route.wasm`, which is served unchanged.
    Component,
}

/// One route of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    folder: String,
    pattern: Pattern,
    id: ComponentId,
    kind: RouteKind,
}

impl Route {
    pub(crate) fn new(folder: String, pattern: Pattern, id: ComponentId, kind: RouteKind) -> Route {
        Route {
            folder,
            pattern,
            id,
            kind,
        }
    }

    /// Returns its folder relative to the app's root, with `/` between names: `handlers/items/[slug]`.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Returns how its component is made.
    pub fn kind(&self) -> RouteKind {
        self.kind
    }

    /// Returns its `route.rs` or `route.wasm` relative to the app's root.
    pub fn file(&self) -> String {
        format!("{}/{}", self.folder, self.kind.file())
    }

    /// Returns the default location of its component, relative to the app's root. `spin.toml` can name another one.
    pub fn source(&self) -> String {
        match self.kind {
            RouteKind::Source => component_id::source(&self.id),
            RouteKind::Component => self.file(),
        }
    }

    /// Returns the pattern of the paths that it handles.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Returns the id of its component, which is also the name of its package if it has one.
    pub fn id(&self) -> &ComponentId {
        &self.id
    }
}

impl RouteKind {
    /// Returns the name of the file in the route's folder.
    pub fn file(self) -> &'static str {
        match self {
            RouteKind::Source => ROUTE_FILE,
            RouteKind::Component => COMPONENT_FILE,
        }
    }
}
