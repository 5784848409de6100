//! [`Params`]: the values that a pattern's dynamic segments matched in a path.

/// The values of a pattern's dynamic segments, in the order of the pattern.
///
/// Each segment is percent-decoded exactly once, so a value may contain a `/` that was sent as
/// `%2F`. An optional catch-all that matched no segment has no entry.
///
/// # Examples
///
/// ```
/// use waypost_routing::{ParamValue, Path, Pattern, Resolved};
///
/// let pattern: Pattern = "/docs/[version]/[...page]".parse()?;
/// let Resolved::Path(path) = Path::resolve("/docs/v1/guide/a%20b")? else { unreachable!() };
/// let params = pattern.matches(&path).unwrap();
/// assert_eq!(params.get("version").and_then(ParamValue::as_one), Some("v1"));
/// assert_eq!(params.get("page").unwrap().as_slice(), ["guide", "a b"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params {
    entries: Vec<(String, ParamValue)>,
}

impl Params {
    /// No entries.
    pub const NONE: Self = Self {
        entries: Vec::new(),
    };

    /// Returns the value of the param `name`, or `None` if there is no param of exactly this name.
    pub fn get(&self, name: &str) -> Option<&ParamValue> {
        let entry = self.entries.iter().find(|(known, _)| known == name);
        entry.map(|(_, value)| value)
    }

    /// Iterates over the names and values in the order of the pattern.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &ParamValue)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns `true` if there are no entries, as for a pattern without dynamic segments.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Builds params without a matcher, for unit tests of code that takes params.
impl FromIterator<(String, ParamValue)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, ParamValue)>>(entries: I) -> Self {
        Self {
            entries: entries.into_iter().collect(),
        }
    }
}

impl IntoIterator for Params {
    type Item = (String, ParamValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// The value of one dynamic segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ParamValue {
    /// The one segment that `[name]` matched.
    One(String),
    /// The segments, at least one, that `[...name]` or `[[...name]]` matched.
    Many(Vec<String>),
}

impl ParamValue {
    /// Returns the value of a `[name]` segment, or `None` for a catch-all.
    pub fn as_one(&self) -> Option<&str> {
        match self {
            Self::One(value) => Some(value),
            Self::Many(_) => None,
        }
    }

    /// Returns the values: one for a `[name]` segment, and all matched segments for a catch-all.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        let one = ("b".to_owned(), ParamValue::One("1".to_owned()));
        let many = (
            "a".to_owned(),
            ParamValue::Many(vec!["2".to_owned(), "3".to_owned()]),
        );
        [one, many].into_iter().collect()
    }

    #[test]
    fn entries_keep_their_order() {
        let params = params();
        let names: Vec<_> = params.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!((params.len(), params.is_empty()), (2, false));
        assert!(Params::default().is_empty());
        let owned: Vec<_> = params.into_iter().map(|(name, _)| name).collect();
        assert_eq!(owned, ["b", "a"]);
    }

    #[test]
    fn names_are_compared_exactly() {
        let params = params();
        assert_eq!(params.get("b").and_then(ParamValue::as_one), Some("1"));
        assert_eq!(params.get("a").and_then(ParamValue::as_one), None);
        assert_eq!(params.get("B"), None);
    }

    #[test]
    fn values_are_readable_as_a_list() {
        let params = params();
        assert_eq!(params.get("a").unwrap().as_slice(), ["2", "3"]);
        assert_eq!(params.get("b").unwrap().as_slice(), ["1"]);
    }
}
