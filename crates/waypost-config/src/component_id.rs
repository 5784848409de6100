//! The identifiers of a Spin manifest: words, joined by `-` (kebab case) or `_` (snake case).

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// The name of a component: a kebab-case id, such as `items-slug`.
///
/// A word starts with an ASCII letter, followed by letters and digits, and is all lowercase or
/// all uppercase.
///
/// Source: Spin's manifest, version 2 (`spin-serde`, `Id<'-', false>`).
///
/// # Examples
///
/// ```
/// use waypost_config::ComponentId;
///
/// let id: ComponentId = "items-slug".parse()?;
/// assert_eq!(id.as_str(), "items-slug");
/// assert!("items_slug".parse::<ComponentId>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId(String);

impl ComponentId {
    /// Parses an id without uppercase letters.
    ///
    /// Such an id is also valid as a package name and as part of a host name, where case is ignored.
    ///
    /// # Errors
    ///
    /// Returns the first rule that `id` breaks.
    pub fn parse_lowercase(id: &str) -> Result<Self, IdError> {
        match id.contains(|c: char| c.is_ascii_uppercase()) {
            true => Err(IdError::Uppercase),
            false => id.parse(),
        }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ComponentId {
    type Err = IdError;

    fn from_str(id: &str) -> Result<Self, IdError> {
        check_kebab(id)?;
        Ok(Self(id.to_owned()))
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ComponentId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ComponentId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why an identifier is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// It has no characters.
    #[error("it must not be empty")]
    Empty,
    /// The words are joined by the other separator.
    #[error("words must be separated by `{expected}`, not `{found}`")]
    Separator {
        /// The separator of this kind of identifier.
        expected: char,
        /// The separator that was found.
        found: char,
    },
    /// It starts or ends with a separator, or has two in a row.
    #[error("words between `{0}` must not be empty")]
    EmptyWord(char),
    /// A word doesn't start with a letter.
    #[error("each word must start with an ASCII letter, not `{0}`")]
    Start(char),
    /// It has a character that isn't an ASCII letter or digit.
    #[error("words may contain only ASCII letters and digits, not `{0}`")]
    Character(char),
    /// A word mixes lowercase and uppercase letters.
    #[error("word `{0}` must be all lowercase or all uppercase")]
    MixedCase(String),
    /// It has uppercase letters where only lowercase is allowed.
    #[error("it must be lowercase")]
    Uppercase,
}

/// Checks a kebab-case identifier: a component id.
fn check_kebab(id: &str) -> Result<(), IdError> {
    check_words(id, '-', '_')
}

/// Checks a lowercase snake-case identifier: the name of a variable.
pub(crate) fn check_lower_snake(id: &str) -> Result<(), IdError> {
    check_words(id, '_', '-')?;
    match id.chars().any(|c| c.is_ascii_uppercase()) {
        true => Err(IdError::Uppercase),
        false => Ok(()),
    }
}

/// Checks a label: the name of a key-value store, in kebab case or snake case.
pub(crate) fn check_label(id: &str) -> Result<(), IdError> {
    check_words(id, '_', '-').or_else(|_| check_kebab(id))
}

fn check_words(id: &str, separator: char, other: char) -> Result<(), IdError> {
    if id.is_empty() {
        return Err(IdError::Empty);
    }
    if id.contains(other) {
        return Err(IdError::Separator {
            expected: separator,
            found: other,
        });
    }
    id.split(separator)
        .try_for_each(|word| check_word(word, separator))
}

fn check_word(word: &str, separator: char) -> Result<(), IdError> {
    let start = word.chars().next().ok_or(IdError::EmptyWord(separator))?;
    if !start.is_ascii_alphabetic() {
        return Err(IdError::Start(start));
    }
    if let Some(wrong) = word.chars().find(|c| !c.is_ascii_alphanumeric()) {
        return Err(IdError::Character(wrong));
    }
    let mixed = word.chars().any(|c| c.is_ascii_lowercase())
        && word.chars().any(|c| c.is_ascii_uppercase());
    match mixed {
        true => Err(IdError::MixedCase(word.to_owned())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_the_grammar_of_spin() {
        for (id, kebab, snake, label) in [
            ("a", true, true, true),
            ("items-slug", true, false, true),
            ("items_slug", false, true, true),
            ("ABC-def", true, false, true),
            ("ABC_def", false, false, true),
            ("a1-b2", true, false, true),
            ("a-1", false, false, false),
            ("1a", false, false, false),
            ("aB", false, false, false),
            ("a--b", false, false, false),
            ("-a", false, false, false),
            ("a-", false, false, false),
            ("a-b_c", false, false, false),
            ("", false, false, false),
            ("é", false, false, false),
            ("a b", false, false, false),
        ] {
            assert_eq!(check_kebab(id).is_ok(), kebab, "kebab {id:?}");
            assert_eq!(check_lower_snake(id).is_ok(), snake, "snake {id:?}");
            assert_eq!(check_label(id).is_ok(), label, "label {id:?}");
        }
    }

    #[test]
    fn ids_that_are_not_valid_in_a_host_name_are_refused() {
        for (id, error) in [
            ("", IdError::Empty),
            ("a--b", IdError::EmptyWord('-')),
            ("-a", IdError::EmptyWord('-')),
            (
                "a_b",
                IdError::Separator {
                    expected: '-',
                    found: '_',
                },
            ),
            ("a-1", IdError::Start('1')),
            ("1a", IdError::Start('1')),
            ("Ab", IdError::Uppercase),
            ("AB", IdError::Uppercase),
            ("ü", IdError::Start('ü')),
            ("a.b", IdError::Character('.')),
        ] {
            assert_eq!(ComponentId::parse_lowercase(id), Err(error), "{id:?}");
        }
    }
}
