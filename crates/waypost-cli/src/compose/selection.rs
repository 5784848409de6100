//! Selects the routes of a composition.

use std::fmt;
use std::str::FromStr;

use crate::failure::Failure;
use crate::route::Route;

/// A path, and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below(String);

impl FromStr for Below {
    type Err = String;

    fn from_str(path: &str) -> Result<Below, String> {
        match path.strip_suffix('/').unwrap_or(path) {
            "" if path == "/" => Ok(Below(String::new())),
            below if below.starts_with('/') => Ok(Below(below.to_owned())),
            _ => Err("a path begins with `/`".to_owned()),
        }
    }
}

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

impl Below {
    fn has(&self, pattern: &str) -> bool {
        let rest = pattern.strip_prefix(&self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The routes to include in a composition; by default all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// If not empty, only routes at or below these paths are included.
    pub only: Vec<Below>,
    /// Routes at or below these paths are excluded, even if `only` includes them.
    pub except: Vec<Below>,
}

impl Selection {
    /// Returns whether a route is included.
    pub fn takes(&self, route: &Route) -> bool {
        self.takes_pattern(&route.pattern().to_string())
    }

    fn takes_pattern(&self, pattern: &str) -> bool {
        let has = |below: &Below| below.has(pattern);
        (self.only.is_empty() || self.only.iter().any(has)) && !self.except.iter().any(has)
    }

    /// Returns the routes that are included.
    ///
    /// # Errors
    ///
    /// When a path has no route at or below it.
    pub fn of<'r>(&self, routes: &'r [Route]) -> Result<Vec<&'r Route>, Failure> {
        for below in self.only.iter().chain(&self.except) {
            let mut patterns = routes.iter().map(|route| route.pattern().to_string());
            if !patterns.any(|pattern| below.has(&pattern)) {
                let message = format!("no route is at or below `{below}`");
                return Err(Failure::new(message).hint("`cargo waypost routes` lists them"));
            }
        }
        Ok(routes.iter().filter(|route| self.takes(route)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(only: &[&str], except: &[&str]) -> Selection {
        let paths = |paths: &[&str]| paths.iter().map(|path| path.parse().unwrap()).collect();
        Selection {
            only: paths(only),
            except: paths(except),
        }
    }

    #[test]
    fn routes_are_chosen_by_whole_segments() {
        for (only, except, pattern, taken) in [
            (&[][..], &[][..], "/a", true),
            (&["/shop"], &[], "/shop", true),
            (&["/shop/"], &[], "/shop/[item]", true),
            (&["/shop"], &[], "/shopping", false),
            (&["/shop"], &[], "/", false),
            (&["/"], &[], "/a", true),
            (&["/a", "/b"], &["/b/c"], "/b/d", true),
            (&["/a", "/b"], &["/b/c"], "/b/c/d", false),
            (&[], &["/[slug]"], "/[slug]", false),
            (&[], &["/[slug]"], "/other", true),
        ] {
            let selection = selection(only, except);
            assert_eq!(
                selection.takes_pattern(pattern),
                taken,
                "{only:?} {except:?} {pattern}"
            );
        }
    }

    #[test]
    fn a_path_without_routes_is_named() {
        for (path, said) in [("/", "`/`"), ("/shop/", "`/shop`")] {
            let error = selection(&[path], &[]).of(&[]).unwrap_err();
            assert!(error.to_string().ends_with(said), "{error}");
        }
    }

    #[test]
    fn a_path_begins_with_a_slash() {
        for text in ["", "shop"] {
            assert!(text.parse::<Below>().is_err(), "{text}");
        }
    }
}
