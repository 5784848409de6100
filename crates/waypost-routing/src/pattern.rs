//! [`Pattern`]: the URL pattern of a route's folder, and the only definition of precedence.
//!
//! A pattern does not know other patterns: [`RouteTable`](crate::RouteTable) finds conflicts.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap, fmt, str::FromStr};

use crate::{
    ParamName, ParamValue, Params, Path, PatternError, Segment,
    segment::{is_group, is_private, is_slot},
};

/// The URL pattern of a folder below `handlers/`.
///
/// The display form is the canonical folder path with a leading slash. It parses to the same pattern.
///
/// # Examples
///
/// ```
/// use waypost_routing::Pattern;
///
/// let pattern = Pattern::parse("(shop)/items/[slug]")?;
/// assert_eq!(pattern.to_string(), "/items/[slug]");
/// assert!(Pattern::parse("items/new")? < pattern);
/// # Ok::<(), waypost_routing::PatternError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    segments: Cow<'static, [Segment]>,
}

impl Pattern {
    /// Parses the path of a folder below `handlers/`, with `/` between names. A leading `/` is optional.
    ///
    /// `(group)` and `@slot` folders add no segment. `[name]`, `[...name]` and `[[...name]]` are
    /// dynamic if they are the whole name of a folder. Any other name is a static segment, in
    /// which valid percent-escapes are decoded once: `%5Fname` is `_name`. `""` and `"/"` are the
    /// root.
    ///
    /// # Errors
    ///
    /// The leftmost fault. [`PatternError::Private`] precedes all others, because names below a private
    /// folder need not be valid.
    pub fn parse(folder: &str) -> Result<Self, PatternError> {
        let folder = folder.strip_prefix('/').unwrap_or(folder);
        if let Some(private) = folder.split('/').find(|name| is_private(name)) {
            return Err(PatternError::Private {
                folder: private.to_owned(),
            });
        }
        let mut segments = Vec::new();
        for name in folder.split('/').filter(|_| !folder.is_empty()) {
            if name.is_empty() {
                return Err(PatternError::EmptyFolder {
                    folder: folder.to_owned(),
                });
            }
            if !is_group(name) && !is_slot(name) {
                segments.push(Segment::parse(name)?);
            }
        }
        check_catch_all_is_last(&segments)?;
        check_names_differ(&segments)?;
        Ok(Self {
            segments: Cow::Owned(segments),
        })
    }

    /// Builds a pattern from valid segments. `export!` parses the pattern at compile time and writes this call, so
    /// that a component needs no parser.
    #[doc(hidden)]
    pub const fn from_checked(segments: &'static [Segment]) -> Self {
        Self {
            segments: Cow::Borrowed(segments),
        }
    }

    /// Returns the segments. The root has none.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Iterates over the names of the params, from left to right.
    pub fn params(&self) -> impl Iterator<Item = &ParamName> {
        self.segments.iter().filter_map(Segment::param)
    }

    /// Matches a path against this pattern alone. Returns the params, or `None` if it does not match.
    ///
    /// A route that [`RouteTable::find`](crate::RouteTable::find) returns also matches here, with the same params.
    pub fn matches(&self, path: &Path) -> Option<Params> {
        self.accepts(path).then(|| self.bind(path))
    }

    /// Collects the params of a path that matches.
    pub(crate) fn bind(&self, path: &Path) -> Params {
        let mut values = path.segments();
        let entry = |segment: &Segment| {
            let value = match segment {
                Segment::Static(_) => {
                    values.next();
                    None
                }
                Segment::Param(_) => values.next().map(|value| ParamValue::One(value.to_owned())),
                Segment::CatchAll(_) | Segment::OptionalCatchAll(_) => {
                    let rest: Vec<_> = values.by_ref().map(str::to_owned).collect();
                    (!rest.is_empty()).then_some(ParamValue::Many(rest))
                }
            };
            Some((segment.param()?.as_str().to_owned(), value?))
        };
        self.segments.iter().filter_map(entry).collect()
    }

    /// Returns `true` if a path matches this pattern alone.
    pub fn accepts(&self, path: &Path) -> bool {
        for (index, segment) in self.segments.iter().enumerate() {
            match (segment, path.segment(index)) {
                (Segment::Static(text), Some(sent)) if text == sent => {}
                (Segment::Param(_), Some(_)) => {}
                (Segment::CatchAll(_), Some(_)) | (Segment::OptionalCatchAll(_), _) => return true,
                (Segment::Static(_), _) | (Segment::Param(_) | Segment::CatchAll(_), None) => {
                    return false;
                }
            }
        }
        path.len() == self.segments.len()
    }
}

/// The precedence of routes: of all patterns that match a path, the smallest one answers.
///
/// Patterns are compared segment by segment from the left. A pattern that ends comes first (the
/// folder's own route), then static segments in byte order, then `[name]`, then `[...name]`, then
/// `[[...name]]`. Dynamic segments of the same kind are ordered by name, which matters only in
/// tables with conflicts. This is Next's order: depth first, and in each folder its own route,
/// static, dynamic, catch-all, optional catch-all.
impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.segments.cmp(&other.segments)
    }
}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments
            .iter()
            .try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(folder: &str) -> Result<Self, Self::Err> {
        Self::parse(folder)
    }
}

fn check_catch_all_is_last(segments: &[Segment]) -> Result<(), PatternError> {
    match segments.iter().position(Segment::is_catch_all) {
        Some(at) if at + 1 < segments.len() => Err(PatternError::CatchAllNotLast {
            segment: segments[at].to_string(),
            next: segments[at + 1].to_string(),
        }),
        _ => Ok(()),
    }
}

/// Checks that no two names are equal, or differ only in `-` and `_`, because they would be the same struct field.
fn check_names_differ(segments: &[Segment]) -> Result<(), PatternError> {
    let mut seen = BTreeMap::new();
    for name in segments.iter().filter_map(Segment::param) {
        let bare: String = name
            .as_str()
            .chars()
            .filter(|character| !"-_".contains(*character))
            .collect();
        match seen.insert(bare, name) {
            Some(first) if first == name => {
                return Err(PatternError::RepeatedName {
                    name: name.to_string(),
                });
            }
            Some(first) => {
                return Err(PatternError::SimilarNames {
                    first: first.to_string(),
                    second: name.to_string(),
                });
            }
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Resolved;

    fn pattern(folder: &str) -> Pattern {
        Pattern::parse(folder).unwrap()
    }

    fn path(raw: &str) -> Path {
        match Path::resolve(raw) {
            Ok(Resolved::Path(path)) => path,
            other => panic!("`{raw}` resolves to {other:?}"),
        }
    }

    #[test]
    fn folders_become_patterns() {
        let cases = [
            ("", "/"),
            ("/", "/"),
            ("(top)", "/"),
            ("@slot", "/"),
            ("items/[slug]", "/items/[slug]"),
            ("/items/[slug]", "/items/[slug]"),
            ("r/(g1)/(g2)/nested-group", "/r/nested-group"),
            ("y/@slot/z", "/y/z"),
            ("x/(.)y", "/x/(.)y"),
            ("r/%5Funder", "/r/%5Funder"),
            ("r/pct%20x", "/r/pct x"),
            ("x/[a]/[...rest]", "/x/[a]/[...rest]"),
            ("x/[...rest]/(g)", "/x/[...rest]"),
            ("[[...all]]", "/[[...all]]"),
        ];
        for (folder, expected) in cases {
            assert_eq!(pattern(folder).to_string(), expected, "{folder}");
            assert_eq!(pattern(expected), pattern(folder));
        }
    }

    #[test]
    fn faults() {
        let text = |text: &str| text.to_owned();
        let cases = [
            (
                "_lib",
                PatternError::Private {
                    folder: text("_lib"),
                },
            ),
            (
                "[[a]]/(g)/_x/y",
                PatternError::Private { folder: text("_x") },
            ),
            (
                "a//b",
                PatternError::EmptyFolder {
                    folder: text("a//b"),
                },
            ),
            ("a/", PatternError::EmptyFolder { folder: text("a/") }),
            ("//", PatternError::EmptyFolder { folder: text("/") }),
            (
                "[...a]/y",
                PatternError::CatchAllNotLast {
                    segment: text("[...a]"),
                    next: text("y"),
                },
            ),
            (
                "[[...a]]/(g)/[b]",
                PatternError::CatchAllNotLast {
                    segment: text("[[...a]]"),
                    next: text("[b]"),
                },
            ),
            ("[a]/y/[a]", PatternError::RepeatedName { name: text("a") }),
            ("[a]/[...a]", PatternError::RepeatedName { name: text("a") }),
            (
                "[a-b]/[a_b]",
                PatternError::SimilarNames {
                    first: text("a-b"),
                    second: text("a_b"),
                },
            ),
            (
                "[a-b]/[ab]",
                PatternError::SimilarNames {
                    first: text("a-b"),
                    second: text("ab"),
                },
            ),
        ];
        for (folder, expected) in cases {
            assert_eq!(Pattern::parse(folder), Err(expected), "{folder}");
        }
    }

    #[test]
    fn precedence_is_decided_by_the_leftmost_difference() {
        let in_order = [
            "/",
            "/(.)y",
            "/a",
            "/a/b",
            "/a/[x]",
            "/a/[...x]",
            "/a/[[...x]]",
            "/b",
            "/[x]",
            "/[x]/a",
            "/[x]/[y]",
            "/[...x]",
            "/[[...x]]",
        ];
        let mut patterns: Vec<_> = in_order
            .iter()
            .rev()
            .map(|folder| pattern(folder))
            .collect();
        patterns.sort();
        let sorted: Vec<_> = patterns.iter().map(Pattern::to_string).collect();
        assert_eq!(sorted, in_order);
    }

    #[test]
    fn matching() {
        let cases = [
            ("/", "/", "[]"),
            ("/", "/a", "no"),
            ("/a", "/a", "[]"),
            ("/a", "/A", "no"),
            ("/a", "/%61", "[]"),
            ("/a b", "/a%20b", "[]"),
            ("/a", "/", "no"),
            ("/a", "/a/b", "no"),
            ("/a/[x]", "/a/b%2Fc", r#"[("x", One("b/c"))]"#),
            ("/a/[x]", "/a", "no"),
            ("/[x]/[y]", "/1/2", r#"[("x", One("1")), ("y", One("2"))]"#),
            ("/[...x]", "/", "no"),
            ("/[...x]", "/a/b", r#"[("x", Many(["a", "b"]))]"#),
            ("/[[...x]]", "/", "[]"),
            ("/a/[[...x]]", "/a", "[]"),
            ("/a/[[...x]]", "/b", "no"),
            (
                "/[a]/[[...x]]",
                "/a/b",
                r#"[("a", One("a")), ("x", Many(["b"]))]"#,
            ),
        ];
        for (folder, raw, expected) in cases {
            let found = pattern(folder).matches(&path(raw));
            let found = found.map_or("no".to_owned(), |params| {
                format!("{:?}", params.iter().collect::<Vec<_>>())
            });
            assert_eq!(found, expected, "{folder} on {raw}");
        }
    }

    #[test]
    fn params_are_listed_from_left_to_right() {
        let names: Vec<_> = pattern("[b]/x/[a]/[...c]")
            .params()
            .map(ParamName::to_string)
            .collect();
        assert_eq!(names, ["b", "a", "c"]);
    }
}
