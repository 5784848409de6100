//! `waypost.toml`: the address to listen on, how to reach other servers, the limits of the app and of its routes, and their
//! caching.
//!
//! Every key is optional, and every default is safe. Values that can't work, such as a time of zero, are refused with
//! the reason. A table `[routes."/items/[slug]".limits]` overrides the limits of the app for one route, and a table
//! `[routes."/items/[slug]".cache]` its cache policy.

mod cache;
mod limits;
mod origin;
mod outbound;
mod quantity;
mod routes;
mod server;

use std::collections::BTreeMap;
use std::path::Path;

use crate::document::{Collector, Document, Keys, Source, did_you_mean, read_text};
use crate::fault::{FaultKind, Faults};
pub use cache::{Cache, CacheRules, PolicyFields, RouteCache};
use limits::Overrides;
pub use limits::{DenyPrivate, Limits, RouteLimits, StoreLimits};
pub use origin::{Origin, OriginError};
pub use outbound::Outbound;
pub use quantity::parse_size;
use routes::RouteSettings;
pub use server::Server;
use waypost_routing::Pattern;

/// The settings of an app.
///
/// # Examples
///
/// ```
/// use std::path::Path;
/// use std::time::Duration;
/// use waypost_config::Settings;
///
/// let text = r#"
/// [limits]
/// max_duration = "10s"
/// [routes."/report".limits]
/// max_duration = "2m"
/// "#;
/// let settings = Settings::parse(text, Path::new("waypost.toml"))?;
/// assert_eq!(settings.route_limits("/").max_duration, Duration::from_secs(10));
/// assert_eq!(settings.route_limits("/report").max_duration, Duration::from_secs(120));
/// # Ok::<(), waypost_config::Faults>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The listener and the behaviour of the server.
    pub server: Server,
    /// How the host connects to other servers.
    pub outbound: Outbound,
    /// The limits of the app, and of each route that doesn't override them.
    pub limits: Limits,
    /// What the response cache may take.
    pub cache: Cache,
    routes: BTreeMap<String, RouteSettings>,
    source: Source,
}

impl Settings {
    /// Reads a `waypost.toml`. If the file doesn't exist, every setting has its default.
    ///
    /// # Errors
    ///
    /// Returns every fault of the file.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        match read_text(path)? {
            Some(text) => Self::parse(&text, path),
            None => Ok(Self::default()),
        }
    }

    /// Parses the text of a `waypost.toml`. `path` is its name in messages.
    ///
    /// # Errors
    ///
    /// Returns every fault of the text.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Faults> {
        read(text, path)
    }

    /// Returns the limits of the route with a pattern such as `/items/[slug]`: the limits of the app, with the
    /// overrides of the route.
    pub fn route_limits(&self, pattern: &str) -> RouteLimits {
        let limits = RouteLimits::of_app(&self.limits);
        match self.routes.get(pattern) {
            Some(route) => route.limits.over(limits),
            None => limits,
        }
    }

    /// Returns the limits that apply before the route of a request is known: those of the app, except that the request
    /// head may be as large as any route allows.
    pub fn widest(&self) -> RouteLimits {
        let app = RouteLimits::of_app(&self.limits);
        let mut widest = app.clone();
        for route in self.routes.values() {
            widest.widen(&route.limits.over(app.clone()));
        }
        widest
    }

    /// Returns what the file says about the caching of the route with a pattern such as `/items/[slug]`, or `None` if the text
    /// is not a pattern.
    pub fn cache_rules(&self, pattern: &str) -> Option<CacheRules> {
        let route = self.routes.get(pattern);
        let route = route.and_then(|route| route.cache.clone());
        let pattern = Pattern::parse(pattern).ok()?;
        Some(CacheRules::new(pattern, &self.cache.profiles, route))
    }

    /// Returns whether any route overrides the limits of the app.
    pub fn has_route_limits(&self) -> bool {
        let mut routes = self.routes.values();
        routes.any(|route| route.limits != Overrides::default())
    }

    /// Removes the overrides of all routes.
    pub fn without_routes(self) -> Self {
        Self {
            routes: BTreeMap::new(),
            ..self
        }
    }

    /// Checks that every route with settings exists in the app.
    ///
    /// # Errors
    ///
    /// Returns a fault for each table `[routes."…"]` whose pattern is not in `patterns`.
    pub fn check_routes(&self, patterns: &[&str]) -> Result<(), Faults> {
        let mut faults = Collector::new(self.source.clone());
        for (pattern, route) in &self.routes {
            if !patterns.contains(&pattern.as_str()) {
                let hint = did_you_mean(pattern, patterns.iter().copied());
                let (what, name) = ("route", pattern.clone());
                faults.push(&route.range, FaultKind::Undeclared { what, name }, hint);
            }
        }
        faults.settle(())
    }
}

const KEYS: Keys = Keys::only(&["server", "outbound", "limits", "cache", "routes"]);

fn read(text: &str, path: &Path) -> Result<Settings, Faults> {
    let document = Document::parse(text, path)?;
    let root = document.root();
    let mut faults = document.collector();
    root.check_keys(&KEYS, &mut faults);
    let server = server::read(&root, &mut faults);
    let outbound = outbound::read(&root, &mut faults);
    let limits = limits::read(&root, &mut faults);
    let cache = cache::read(&root, &mut faults);
    let routes = routes::read(&root, &limits, &cache, &mut faults);
    let source = faults.source().clone();
    faults.settle(Settings {
        server,
        outbound,
        limits,
        cache,
        routes,
        source,
    })
}
