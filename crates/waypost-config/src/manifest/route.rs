//! The route of a trigger: the paths that it matches.

use std::fmt;
use std::str::FromStr;

/// The paths that an HTTP trigger matches.
///
/// # Examples
///
/// ```
/// use waypost_config::manifest::Route;
///
/// let route: Route = "/blog/...".parse()?;
/// assert!(route.matches("/blog/2026/hello"));
/// assert!(route.matches("/blog"));
/// assert!(!route.matches("/blogs"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// One path, such as `/about`; the root is `/`.
    Exact(String),
    /// A path and all paths below it: `/blog` for `/blog/...`, and `/` for `/...`.
    Prefix(String),
    /// No path: only other components can reach the component.
    Private,
}

/// Why a route is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// `/a/.../b`, `/a...`, `/a/*/b`
    #[error("the wildcard `/...` may only be the end of a route")]
    Wildcard,
    /// `/:name`
    #[error("the named wildcard `{0}` is not supported by this host; end the route in `/...`")]
    NamedWildcard(String),
    /// `/a b`, `/a?b`
    #[error("a route is a path, which can't contain `{0}`; write the percent-encoded form")]
    Character(char),
}

impl Route {
    /// Returns whether this route matches a path, percent-encoded as the client sent it and without a query.
    ///
    /// Trailing slashes are ignored.
    pub fn matches(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        match self {
            Self::Exact(route) => path == route.trim_end_matches('/'),
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Private => false,
        }
    }

    /// Returns the rank of this route among those that match one path: the greatest takes precedence.
    pub(super) fn precedence(&self) -> (bool, usize) {
        match self {
            Self::Exact(route) => (true, route.len()),
            Self::Prefix(prefix) => (false, prefix.len()),
            Self::Private => (false, 0),
        }
    }
}

impl FromStr for Route {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        // As in Spin, the leading slash is optional, a trailing slash is ignored, and `/*` means `/...`.
        let absolute = match text.strip_prefix('/') {
            Some(_) => text.to_owned(),
            None => format!("/{text}"),
        };
        let trimmed = absolute.strip_suffix('/').unwrap_or(&absolute);
        let wild = trimmed
            .strip_suffix("/...")
            .or_else(|| trimmed.strip_suffix("/*"));
        let path = wild.unwrap_or(trimmed);
        check_path(path)?;
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(match wild {
            Some(_) => Self::Prefix(path),
            None => Self::Exact(path),
        })
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Prefix(path) => write!(f, "{}/...", path.trim_end_matches('/')),
            Self::Private => f.write_str("private"),
        }
    }
}

fn check_path(path: &str) -> Result<(), RouteError> {
    let never_sent = |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#');
    if let Some(character) = path.chars().find(never_sent) {
        return Err(RouteError::Character(character));
    }
    path.split('/').try_for_each(|segment| {
        if segment.starts_with(':') {
            Err(RouteError::NamedWildcard(segment.to_owned()))
        } else if segment.ends_with("...") || segment.contains('*') {
            Err(RouteError::Wildcard)
        } else {
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read_as_spin_reads_them() {
        for (text, expected) in [
            ("/", Route::Exact("/".into())),
            ("", Route::Exact("/".into())),
            ("/...", Route::Prefix("/".into())),
            ("...", Route::Prefix("/".into())),
            ("/*", Route::Prefix("/".into())),
            ("/a", Route::Exact("/a".into())),
            ("a/", Route::Exact("/a".into())),
            ("/a/b/...", Route::Prefix("/a/b".into())),
            ("/a/.../", Route::Prefix("/a".into())),
            ("/rss.xml", Route::Exact("/rss.xml".into())),
            ("/a..b", Route::Exact("/a..b".into())),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn invalid_routes_are_refused() {
        for (text, expected) in [
            ("/.../a", RouteError::Wildcard),
            ("/a/*/b", RouteError::Wildcard),
            ("/a...", RouteError::Wildcard),
            ("/a*", RouteError::Wildcard),
            ("/:id", RouteError::NamedWildcard(":id".into())),
            ("/a/:id/...", RouteError::NamedWildcard(":id".into())),
            ("/a b", RouteError::Character(' ')),
            ("/a?b", RouteError::Character('?')),
            ("/a#b", RouteError::Character('#')),
            ("/\n", RouteError::Character('\n')),
        ] {
            assert_eq!(text.parse::<Route>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn routes_match_paths() {
        for (route, path, expected) in [
            ("/", "/", true),
            ("/", "", true),
            ("/", "/a", false),
            ("/a", "/a", true),
            ("/a", "/a/", true),
            ("/a", "/a/b", false),
            ("/a", "/A", false),
            ("/...", "/", true),
            ("/...", "/a/b", true),
            ("/a/...", "/a", true),
            ("/a/...", "/a/", true),
            ("/a/...", "/a/b", true),
            ("/a/...", "/ab", false),
        ] {
            let route: Route = route.parse().unwrap();
            assert_eq!(route.matches(path), expected, "{route} {path}");
        }
        assert!(!Route::Private.matches("/"));
    }

    #[test]
    fn display_writes_a_route_as_in_the_manifest() {
        for text in ["/", "/...", "/a", "/a/..."] {
            let route: Route = text.parse().unwrap();
            assert_eq!(route.to_string(), text);
        }
    }
}
