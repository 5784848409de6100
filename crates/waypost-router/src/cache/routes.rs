//! [`CachedRoutes`]: the routes with a cache policy.

use std::fmt;
use std::rc::Rc;

use waypost_cache::Policy;
use waypost_cache::key::RouteId;
use waypost_cache::life::PathSpace;
use waypost_cache::policy::Draft;
use waypost_routing::Pattern;

use crate::router::entries;

/// A route whose responses are cached.
pub struct CachedRoute {
    pub(super) component: String,
    pub(super) pattern: Pattern,
    pub(super) policy: Policy,
    pub(super) paths: PathSpace,
    /// Whether the component answers HEAD by code of its own.
    pub(super) has_head: bool,
    version: String,
}

/// The routes with a cache policy.
#[derive(Default)]
pub struct CachedRoutes(Vec<Rc<CachedRoute>>);

/// The table of policies is invalid. `waypost build` writes it, so build again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheTableError(String);

impl fmt::Display for CacheTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = &self.0;
        write!(
            f,
            "the table of cache policies is invalid: {why}; run `waypost build`"
        )
    }
}

impl std::error::Error for CacheTableError {}

impl CachedRoutes {
    /// Parses the table of routes and that of their policies, as `waypost build` writes them.
    ///
    /// Each line of `policies` has the component's id, and the policy as
    /// [`Draft::to_line`](waypost_cache::policy::Draft::to_line) writes it. Empty lines and lines that begin with `#` are
    /// ignored. A policy of a component without a route is ignored too: a composition may have some of the routes.
    ///
    /// `versions` has items `<component>=<version>`, separated by spaces. Responses of another version of a component are not
    /// served. Without a version, those of all versions are.
    ///
    /// # Errors
    ///
    /// Returns an error if a line of either table is invalid.
    pub fn parse(
        routes: &str,
        policies: &str,
        versions: Option<&str>,
    ) -> Result<Self, CacheTableError> {
        let versions = versions.unwrap_or_default();
        let version = |component: &str| {
            let mut items = versions.split(' ').filter_map(|item| item.split_once('='));
            let found = items.find(|(known, _)| *known == component);
            found.map(|(_, version)| version).unwrap_or_default()
        };
        let mut known = Vec::new();
        for entry in entries(routes) {
            known.push(entry.map_err(CacheTableError)?);
        }
        let mut cached = Vec::new();
        for (index, line) in policies.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (component, policy) = line.split_once(' ').unwrap_or((line, ""));
            let found = known
                .iter()
                .position(|((_, destination), _)| destination.component() == component);
            let Some(found) = found else {
                continue;
            };
            let ((pattern, _), methods) = known.swap_remove(found);
            let policy = parse_policy(policy, &pattern)
                .ok_or_else(|| CacheTableError(format!("line {} is no policy", index + 1)))?;
            let route = CachedRoute {
                component: component.to_owned(),
                paths: PathSpace::of(&pattern),
                has_head: methods.iter().any(|method| method == "HEAD"),
                version: version(component).to_owned(),
                pattern,
                policy,
            };
            cached.push(Rc::new(route));
        }
        Ok(Self(cached))
    }

    /// Returns the route of a component, or `None` if it has no policy.
    pub fn get(&self, component: &str) -> Option<&Rc<CachedRoute>> {
        self.0.iter().find(|route| route.component == component)
    }
}

impl CachedRoute {
    /// Returns the part of a key that stands for this version.
    pub(super) fn id(&self) -> RouteId<'_> {
        RouteId {
            id: &self.component,
            digest: self.version.as_bytes(),
        }
    }
}

/// Parses a policy. Why it is not valid is not said: that would make the component larger, and a build has checked it.
fn parse_policy(line: &str, pattern: &Pattern) -> Option<Policy> {
    let policy = Draft::parse_line(line).ok()?.check(&[]).ok()?;
    policy.check_pattern(pattern).ok()?;
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "posts GET /posts/[slug]\nown GET,HEAD /own\nfree GET /free\n";

    #[test]
    fn policies_belong_to_routes() {
        let table =
            "# made by a build\n\nposts revalidate=60 tags=post-%7Bslug%7D\nown \ngone life=max\n";
        let routes = CachedRoutes::parse(ROUTES, table, Some("posts=ab own=")).unwrap();
        let posts = routes.get("posts").unwrap();
        assert_eq!((posts.version.as_str(), posts.has_head), ("ab", false));
        assert_eq!(posts.paths, PathSpace::Open);
        assert_eq!(posts.policy.tags(), ["post-{slug}"]);
        assert!(routes.get("own").unwrap().has_head);
        assert!(routes.get("free").is_none() && routes.get("gone").is_none());
    }

    #[test]
    fn an_invalid_table_is_an_error() {
        for (table, expected) in [
            ("posts revalidate", "line 1 "),
            ("\nposts revalidate=0", "line 2 "),
            ("posts tags=%7Bother%7D", "line 1 "),
            ("posts life=mine", "line 1 "),
        ] {
            let error = CachedRoutes::parse(ROUTES, table, None).err().unwrap();
            assert!(error.to_string().contains(expected), "{table}: {error}");
        }
        assert!(CachedRoutes::parse("x", "", None).is_err());
    }
}
