//! [`Conflicts`]: all pairs of routes in a table that conflict.
//!
//! The search for conflicts treats params with different names as the same segment, because they match the same
//! paths. It is independent of the trie for look-ups, which relies on patterns without conflicts.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt,
};

use crate::{ParamName, Pattern, Segment};

/// The error of a table with conflicts: at least one [`Conflict`].
///
/// The display form has one line for each conflict.
pub struct Conflicts<T> {
    routes: Vec<(Pattern, T)>,
    found: Vec<Found>,
}

impl<T> Conflicts<T> {
    /// Iterates over the conflicts, in the order of precedence of the folders that they are in.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Conflict<'_, T>> {
        self.found.iter().map(|found| Conflict {
            kind: found.kind,
            first: self.route(found.first),
            second: self.route(found.second),
        })
    }

    fn route(&self, index: usize) -> (&Pattern, &T) {
        let (pattern, label) = &self.routes[index];
        (pattern, label)
    }
}

impl<T: fmt::Display> fmt::Display for Conflicts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, conflict) in self.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}{conflict}")?;
        }
        Ok(())
    }
}

impl<T: fmt::Debug> fmt::Debug for Conflicts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: fmt::Debug + fmt::Display> Error for Conflicts<T> {}

/// Two routes that conflict, each with its pattern and its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict<'a, T> {
    /// Why the routes conflict.
    pub kind: ConflictKind,
    /// The route that comes first by precedence.
    pub first: (&'a Pattern, &'a T),
    /// The route that comes second by precedence.
    pub second: (&'a Pattern, &'a T),
}

impl<T: fmt::Display> fmt::Display for Conflict<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((first, first_label), (second, second_label)) = (self.first, self.second);
        let both = format_args!("`{first}` (`{first_label}`) and `{second}` (`{second_label}`)");
        match self.kind {
            ConflictKind::SamePattern => write!(
                f,
                "`{first_label}` and `{second_label}` both have the pattern `{first}`; \
                 keep one of them, or rename a folder that is neither a group nor a slot"
            ),
            ConflictKind::SamePaths => write!(f, "{both} match the same paths; keep one of them"),
            ConflictKind::DifferentNames { index } => {
                let (one, other) = (&first.segments()[index], &second.segments()[index]);
                write!(
                    f,
                    "{both} name the same segment `{one}` and `{other}`; use the same name in both"
                )
            }
            ConflictKind::OwnAndOptionalCatchAll => write!(
                f,
                "{both} both match `{first}` itself; \
                 remove the first, or make the second a catch-all with one pair of brackets"
            ),
            ConflictKind::TwoCatchAlls => write!(
                f,
                "{both} are catch-alls of the same folder; \
                 keep the second, which also matches every path of the first"
            ),
        }
    }
}

/// Why two routes conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConflictKind {
    /// Two folders have the same pattern, because groups and slots add no segment.
    SamePattern,
    /// The patterns differ only in names of params, so they match the same paths.
    SamePaths,
    /// The patterns have different names for the param of a shared level: `x/[a]/one` and `x/[b]/two`.
    DifferentNames {
        /// The position of the param in both patterns.
        index: usize,
    },
    /// One is the route of a folder, the other the optional catch-all in it: both match the
    /// folder's path.
    OwnAndOptionalCatchAll,
    /// A folder has both a catch-all and an optional catch-all.
    TwoCatchAlls,
}

/// Sorts `routes` by precedence, or returns their conflicts.
pub(crate) fn check<T>(mut routes: Vec<(Pattern, T)>) -> Result<Vec<(Pattern, T)>, Conflicts<T>> {
    routes.sort_by(|(one, _), (other, _)| one.cmp(other));
    let patterns: Vec<_> = routes.iter().map(|(pattern, _)| pattern).collect();
    let found = find(&patterns);
    if found.is_empty() {
        Ok(routes)
    } else {
        Err(Conflicts { routes, found })
    }
}

/// A conflict between two routes, given by their positions.
struct Found {
    kind: ConflictKind,
    first: usize,
    second: usize,
}

fn find(patterns: &[&Pattern]) -> Vec<Found> {
    let levels = Levels::new(patterns);
    let mut found = Vec::new();
    for level in &levels.levels {
        found.extend(level.same_paths(patterns));
        found.extend(level.different_names(&levels.ends));
        found.extend(level.own_and_optional());
        found.extend(level.two_catch_alls());
    }
    found
}

/// The folders of all patterns. Folders that match the same paths are one level.
struct Levels<'a> {
    levels: Vec<Level<'a>>,
    /// The end of each pattern: equal for patterns that match the same paths.
    ends: Vec<(usize, End)>,
    /// The child level of a level, for a static segment or for any param (`None`).
    children: HashMap<(usize, Option<&'a str>), usize>,
}

/// The patterns that end in a folder, or in a catch-all directly below it, by their positions.
#[derive(Default)]
struct Level<'a> {
    /// The number of segments above this folder.
    depth: usize,
    own: Vec<usize>,
    catch_alls: Vec<usize>,
    optional_catch_alls: Vec<usize>,
    /// The names of the param in this folder, each with the patterns that use it.
    names: BTreeMap<&'a ParamName, Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Own,
    CatchAll,
    OptionalCatchAll,
}

impl<'a> Levels<'a> {
    fn new(patterns: &[&'a Pattern]) -> Self {
        let mut levels = Self {
            levels: vec![Level::default()],
            ends: Vec::new(),
            children: HashMap::new(),
        };
        for (index, pattern) in patterns.iter().enumerate() {
            levels.insert(pattern, index);
        }
        levels
    }

    fn insert(&mut self, pattern: &'a Pattern, index: usize) {
        let (mut at, mut end) = (0, End::Own);
        for segment in pattern.segments() {
            match segment {
                Segment::Static(text) => at = self.child(at, Some(text)),
                Segment::Param(name) => {
                    self.levels[at].names.entry(name).or_default().push(index);
                    at = self.child(at, None);
                }
                Segment::CatchAll(_) => end = End::CatchAll,
                Segment::OptionalCatchAll(_) => end = End::OptionalCatchAll,
            }
        }
        self.levels[at].ending_in(end).push(index);
        self.ends.push((at, end));
    }

    fn child(&mut self, parent: usize, segment: Option<&'a str>) -> usize {
        *self.children.entry((parent, segment)).or_insert_with(|| {
            let depth = self.levels[parent].depth + 1;
            self.levels.push(Level {
                depth,
                ..Level::default()
            });
            self.levels.len() - 1
        })
    }
}

impl Level<'_> {
    fn ending_in(&mut self, end: End) -> &mut Vec<usize> {
        match end {
            End::Own => &mut self.own,
            End::CatchAll => &mut self.catch_alls,
            End::OptionalCatchAll => &mut self.optional_catch_alls,
        }
    }

    /// Pairs each pattern with the first one that matches the same paths.
    fn same_paths(&self, patterns: &[&Pattern]) -> Vec<Found> {
        let mut found = Vec::new();
        for same in [&self.own, &self.catch_alls, &self.optional_catch_alls] {
            let Some((&first, others)) = same.split_first() else {
                continue;
            };
            found.extend(others.iter().map(|&second| {
                let is_same = patterns[first] == patterns[second];
                let kind = if is_same {
                    ConflictKind::SamePattern
                } else {
                    ConflictKind::SamePaths
                };
                Found {
                    kind,
                    first,
                    second,
                }
            }));
        }
        found
    }

    /// Pairs the first name of the param with each other name, once per name.
    ///
    /// Skips pairs of patterns that match the same paths, because `same_paths` reports those.
    fn different_names(&self, ends: &[(usize, End)]) -> Vec<Found> {
        let mut names = self.names.values();
        let Some(firsts) = names.next() else {
            return Vec::new();
        };
        let pair = |seconds: &Vec<usize>| {
            let pairs = firsts
                .iter()
                .flat_map(|first| seconds.iter().map(move |second| (*first, *second)));
            let (first, second) = pairs
                .into_iter()
                .find(|(first, second)| ends[*first] != ends[*second])?;
            Some(Found {
                kind: ConflictKind::DifferentNames { index: self.depth },
                first,
                second,
            })
        };
        names.filter_map(pair).collect()
    }

    fn own_and_optional(&self) -> Option<Found> {
        let (&first, &second) = (self.own.first()?, self.optional_catch_alls.first()?);
        Some(Found {
            kind: ConflictKind::OwnAndOptionalCatchAll,
            first,
            second,
        })
    }

    fn two_catch_alls(&self) -> Option<Found> {
        let (&first, &second) = (self.catch_alls.first()?, self.optional_catch_alls.first()?);
        Some(Found {
            kind: ConflictKind::TwoCatchAlls,
            first,
            second,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflicts(folders: &[&'static str]) -> Vec<(ConflictKind, &'static str, &'static str)> {
        let routes = folders
            .iter()
            .map(|folder| (Pattern::parse(folder).unwrap(), *folder));
        match check(routes.collect()) {
            Ok(_) => Vec::new(),
            Err(conflicts) => conflicts
                .iter()
                .map(|it| (it.kind, *it.first.1, *it.second.1))
                .collect(),
        }
    }

    #[test]
    fn compatible_routes() {
        let tables: [&[&str]; 6] = [
            &[],
            &["/", "/[...a]"],
            &["x/[a]", "x/[...b]", "x/[a]/leaf", "x/static", "x"],
            &["x/[a]/one", "y/[b]/two"],
            &["[a]/x", "[a]/[b]/y", "[a]/x/[c]"],
            &["x/[...a]", "x/[p]/[[...b]]"],
        ];
        for table in tables {
            assert_eq!(conflicts(table), [], "{table:?}");
        }
    }

    #[test]
    fn each_kind() {
        use ConflictKind::{
            DifferentNames, OwnAndOptionalCatchAll, SamePaths, SamePattern, TwoCatchAlls,
        };
        let cases = [
            (SamePattern, "(a)/x", "(b)/x"),
            (SamePattern, "pct x", "pct%20x"),
            (SamePaths, "x/[a]", "x/[b]"),
            (SamePaths, "x/[a]/[c]", "x/[b]/[d]"),
            (SamePaths, "x/[...a]", "x/(g)/[...b]"),
            (SamePaths, "[[...a]]", "[[...b]]"),
            (DifferentNames { index: 1 }, "x/[a]/one", "x/[b]/two"),
            (DifferentNames { index: 0 }, "[a]", "[b]/two"),
            (DifferentNames { index: 0 }, "[a]/[...c]", "[b]/x/[[...c]]"),
            (OwnAndOptionalCatchAll, "x", "x/[[...a]]"),
            (OwnAndOptionalCatchAll, "", "[[...a]]"),
            (OwnAndOptionalCatchAll, "[x]", "[x]/[[...a]]"),
            (TwoCatchAlls, "x/[...a]", "x/[[...b]]"),
            (TwoCatchAlls, "x/[...a]", "x/[[...a]]"),
        ];
        for (kind, first, second) in cases {
            let found = conflicts(&[first, second]);
            assert_eq!(found, [(kind, first, second)]);
        }
    }

    #[test]
    fn every_conflict_is_found_once() {
        use ConflictKind::{
            DifferentNames, OwnAndOptionalCatchAll, SamePaths, SamePattern, TwoCatchAlls,
        };
        let table = [
            "x/[a]/one",
            "x/[b]/one",
            "x/[b]/two",
            "x/[c]/three/[d]",
            "x/[c]/three/[e]",
            "y",
            "(g)/y",
            "y/[...r]",
            "y/[[...s]]",
        ];
        let expected = [
            (DifferentNames { index: 1 }, "x/[a]/one", "x/[b]/two"),
            (DifferentNames { index: 1 }, "x/[a]/one", "x/[c]/three/[d]"),
            (SamePaths, "x/[a]/one", "x/[b]/one"),
            (SamePaths, "x/[c]/three/[d]", "x/[c]/three/[e]"),
            (SamePattern, "y", "(g)/y"),
            (OwnAndOptionalCatchAll, "y", "y/[[...s]]"),
            (TwoCatchAlls, "y/[...r]", "y/[[...s]]"),
        ];
        assert_eq!(conflicts(&table), expected);
    }

    #[test]
    fn two_levels_of_names() {
        let table = ["[a]/[c]/one", "[b]/[d]/two"];
        let kind = |index| ConflictKind::DifferentNames { index };
        let expected = [0, 1].map(|index| (kind(index), table[0], table[1]));
        assert_eq!(conflicts(&table), expected);
    }
}
