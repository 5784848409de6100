//! [`RouteTable`]: all routes of an app, checked for conflicts, and the look-up of a path.

use crate::{Conflicts, Params, Path, Pattern, Segment, conflict, trie::Trie};

/// The routes of an app, each a [`Pattern`] with a label of the caller's choice, such as a file or a
/// component's id.
///
/// # Examples
///
/// ```
/// use waypost_routing::{Path, Pattern, Resolved, RouteTable};
///
/// let routes = [("/items/[slug]", "item"), ("/items/new", "form"), ("/[...rest]", "other")];
/// let routes = routes.map(|(folder, label)| (Pattern::parse(folder).unwrap(), label));
/// let table = RouteTable::new(routes)?;
///
/// let Resolved::Path(path) = Path::resolve("/items/%6Eew")? else { unreachable!() };
/// assert_eq!(table.find(&path).map(|found| *found.value), Some("form"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RouteTable<T> {
    /// Sorted by precedence.
    routes: Vec<(Pattern, T)>,
    trie: Trie,
}

/// The route that answers a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match<'table, 'path, T> {
    /// The pattern of the route.
    pub pattern: &'table Pattern,
    /// The label of the route.
    pub value: &'table T,
    path: &'path Path,
}

impl<T> Match<'_, '_, T> {
    /// Collects the values of the pattern's dynamic segments.
    ///
    /// The look-up itself copies nothing, so a caller that needs only the route, such as a router, avoids this cost.
    pub fn params(&self) -> Params {
        self.pattern.bind(self.path)
    }
}

impl<T> RouteTable<T> {
    /// Builds a table. The order of `routes` does not matter.
    ///
    /// # Errors
    ///
    /// [`Conflicts`] with every pair of routes that conflict.
    pub fn new(routes: impl IntoIterator<Item = (Pattern, T)>) -> Result<Self, Conflicts<T>> {
        let routes = conflict::check(routes.into_iter().collect())?;
        let trie = Trie::new(routes.iter().map(|(pattern, _)| pattern));
        Ok(Self { routes, trie })
    }

    /// Finds the route that answers `path`: of all that match, the first by precedence.
    ///
    /// The time is usually linear in the number of the path's segments. For any path it is at worst
    /// linear in the number of routes.
    pub fn find<'table, 'path>(&'table self, path: &'path Path) -> Option<Match<'table, 'path, T>> {
        let (pattern, value) = &self.routes[self.trie.find(path)?];
        Some(Match {
            pattern,
            value,
            path,
        })
    }

    /// Iterates over the routes in the order of precedence.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Pattern, &T)> {
        self.routes.iter().map(|(pattern, value)| (pattern, value))
    }

    /// Iterates over the routes that no path can reach, because other routes precede them for every
    /// path that they match.
    ///
    /// Such a table works, so this deserves only a warning. For example, `/[x]/[[...rest]]` makes
    /// `/[...all]` unreachable.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost_routing::{Pattern, RouteTable};
    ///
    /// let routes = ["/[x]/[[...rest]]", "/[...all]", "/about"];
    /// let table = RouteTable::new(routes.map(|folder| (Pattern::parse(folder).unwrap(), ())))?;
    /// let dead: Vec<_> = table.unreachable().map(|(pattern, ())| pattern.to_string()).collect();
    /// assert_eq!(dead, ["/[...all]"]);
    /// # Ok::<(), waypost_routing::Conflicts<()>>(())
    /// ```
    pub fn unreachable(&self) -> impl Iterator<Item = (&Pattern, &T)> {
        let depths = self
            .routes
            .iter()
            .map(|(pattern, _)| pattern.segments().len());
        let deepest = depths.max().unwrap_or(0);
        let is_dead = move |index: usize| {
            let mut paths = plainest_paths(&self.routes[index].0, deepest);
            !paths.any(|path| self.trie.find(&path) == Some(index))
        };
        let routes = self.iter().enumerate();
        routes
            .filter(move |(index, _)| is_dead(*index))
            .map(|(_, route)| route)
    }
}

/// A segment that occurs in no request and no static name, so that only dynamic segments match it.
const NOWHERE: &str = "\0";

/// Returns, for each relevant length, the path that matches `pattern` and as few other patterns as possible.
///
/// A pattern that matches such a path also matches every other path of this length that `pattern` matches. Lengths
/// beyond the deepest pattern's plus one are irrelevant, because the table treats all such paths alike.
fn plainest_paths(pattern: &Pattern, deepest: usize) -> impl Iterator<Item = Path> {
    let (fixed, lengths) = match pattern.segments() {
        [fixed @ .., Segment::CatchAll(_)] => (fixed, fixed.len() + 1..=deepest + 1),
        [fixed @ .., Segment::OptionalCatchAll(_)] => (fixed, fixed.len()..=deepest + 1),
        fixed => (fixed, fixed.len()..=fixed.len()),
    };
    lengths.map(move |length| {
        let mut path = Path::default();
        for index in 0..length {
            match fixed.get(index) {
                Some(Segment::Static(text)) => path.push(text),
                _ => path.push(NOWHERE),
            }
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParamValue, Resolved};

    fn table(folders: &[&'static str]) -> RouteTable<&'static str> {
        RouteTable::new(
            folders
                .iter()
                .map(|folder| (Pattern::parse(folder).unwrap(), *folder)),
        )
        .unwrap()
    }

    fn path(raw: &str) -> Path {
        match Path::resolve(raw) {
            Ok(Resolved::Path(path)) => path,
            other => panic!("`{raw}` resolves to {other:?}"),
        }
    }

    #[test]
    fn a_match_has_pattern_label_and_params() {
        let table = table(&["(g)/x/[a]/[...rest]", "x"]);
        let asked = path("/x/1/2/3");
        let found = table.find(&asked).unwrap();
        assert_eq!(found.pattern.to_string(), "/x/[a]/[...rest]");
        assert_eq!(*found.value, "(g)/x/[a]/[...rest]");
        let params = found.params();
        assert_eq!(params.get("a").and_then(ParamValue::as_one), Some("1"));
        assert_eq!(params.get("rest").unwrap().as_slice(), ["2", "3"]);
        assert_eq!(table.find(&path("/y")), None);
    }

    #[test]
    fn an_empty_table_finds_nothing() {
        assert_eq!(table(&[]).find(&path("/")), None);
        assert_eq!(table(&[]).unreachable().count(), 0);
    }

    #[test]
    fn routes_are_listed_by_precedence() {
        let sorted = ["", "x", "x/y", "x/[a]", "[a]", "[...b]"];
        let mut shuffled = sorted;
        shuffled.reverse();
        assert!(table(&shuffled).iter().map(|(_, label)| *label).eq(sorted));
    }

    #[test]
    fn unreachable_routes() {
        let cases: [(&[&str], &[&str]); 7] = [
            (&["", "[a]", "[...b]"], &[]),
            (&["[a]", "[a]/[...b]", "[...c]"], &["[...c]"]),
            (&["[a]/[[...b]]", "[...c]"], &["[...c]"]),
            (&["", "[a]/[[...b]]", "x"], &[]),
            (&["[a]", "[a]/[b]", "[a]/[b]/x/[[...d]]", "[...c]"], &[]),
            (&["x/[a]/[[...b]]", "x/[...c]", "[...d]"], &["x/[...c]"]),
            (&["[a]/[[...b]]", "[[...c]]"], &[]),
        ];
        for (folders, expected) in cases {
            let table = table(folders);
            assert!(
                table
                    .unreachable()
                    .map(|(_, label)| *label)
                    .eq(expected.iter().copied()),
                "{folders:?}"
            );
        }
    }
}
