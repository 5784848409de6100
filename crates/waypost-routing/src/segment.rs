//! [`Segment`]: one segment of a pattern, parsed from a folder's name.
//!
//! The order of segments is part of the precedence that [`Pattern`](crate::Pattern) defines. Rules for whole patterns
//! are checked there, too.

use std::{borrow::Cow, fmt};

use crate::{PatternError, escape};

/// One segment of a pattern.
///
/// The display form is the canonical name of the segment's folder.
// The order of the variants is part of the order of patterns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A decoded literal. It matches segments that decode to exactly this text, case-sensitively.
    Static(Cow<'static, str>),
    /// `[name]`: matches any one segment.
    Param(ParamName),
    /// `[...name]`: matches all remaining segments, at least one.
    CatchAll(ParamName),
    /// `[[...name]]`: matches all remaining segments, or none.
    OptionalCatchAll(ParamName),
}

impl Segment {
    /// Returns the name of the segment's param, or `None` for a static segment.
    pub fn param(&self) -> Option<&ParamName> {
        match self {
            Self::Static(_) => None,
            Self::Param(name) | Self::CatchAll(name) | Self::OptionalCatchAll(name) => Some(name),
        }
    }

    /// Returns `true` for `[...name]` and `[[...name]]`, which are allowed only as the last segment.
    pub fn is_catch_all(&self) -> bool {
        match self {
            Self::Static(_) | Self::Param(_) => false,
            Self::CatchAll(_) | Self::OptionalCatchAll(_) => true,
        }
    }

    /// Parses the name of a folder that adds a segment. The name is not empty, a group, a slot or private.
    pub(crate) fn parse(folder: &str) -> Result<Self, PatternError> {
        match in_brackets(folder) {
            Some(inner) => parse_dynamic(folder, inner),
            None => parse_static(folder),
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(text) => write_static(f, text),
            Self::Param(name) => write!(f, "[{name}]"),
            Self::CatchAll(name) => write!(f, "[...{name}]"),
            Self::OptionalCatchAll(name) => write!(f, "[[...{name}]]"),
        }
    }
}

/// The name of a param: a Rust identifier, or kebab-case.
///
/// Keywords that Rust allows as raw identifiers are allowed: `type` is, `self` is not. A kebab-case
/// name consists of words of lowercase letters and digits, joined by single hyphens: `kebab-name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamName(Cow<'static, str>);

impl ParamName {
    /// Builds a name from a valid text, for the same reason as [`Pattern::from_checked`](crate::Pattern::from_checked).
    #[doc(hidden)]
    pub const fn from_checked(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Returns the name as it is written in the folder.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(folder: &str, name: &str) -> Result<Self, PatternError> {
        let name = normalise(name);
        if is_identifier(&name) || is_kebab_case(&name) {
            Ok(Self(Cow::Owned(name.into_owned())))
        } else {
            Err(PatternError::InvalidName {
                segment: folder.to_owned(),
                name: name.into_owned(),
            })
        }
    }
}

impl AsRef<str> for ParamName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns `true` for a `(group)`, which adds nothing to the URL.
pub(crate) fn is_group(folder: &str) -> bool {
    folder.starts_with('(') && folder.ends_with(')')
}

/// Returns `true` for a `@slot`, which adds nothing to the URL.
pub(crate) fn is_slot(folder: &str) -> bool {
    folder.starts_with('@')
}

/// Returns `true` for a private folder: neither it nor anything below it is a route.
pub(crate) fn is_private(folder: &str) -> bool {
    folder.starts_with('_')
}

fn in_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

fn parse_dynamic(folder: &str, inner: &str) -> Result<Segment, PatternError> {
    let (inner, optional) = match in_brackets(inner) {
        Some(innermost) => (innermost, true),
        None => (inner, false),
    };
    let (name, catch_all) = match inner.strip_prefix("...") {
        Some(name) => (name, true),
        None => (inner, false),
    };
    check_marks(folder, name)?;
    if optional && !catch_all {
        return Err(PatternError::OptionalParam {
            segment: folder.to_owned(),
            name: name.to_owned(),
        });
    }
    let name = ParamName::parse(folder, name)?;
    Ok(match (catch_all, optional) {
        (false, _) => Segment::Param(name),
        (true, false) => Segment::CatchAll(name),
        (true, true) => Segment::OptionalCatchAll(name),
    })
}

/// Detects common mistakes that deserve a better message than "invalid name".
fn check_marks(folder: &str, name: &str) -> Result<(), PatternError> {
    let segment = folder.to_owned();
    if name.is_empty() {
        Err(PatternError::EmptyName { segment })
    } else if name.starts_with('[') || name.ends_with(']') {
        Err(PatternError::ExtraBrackets { segment })
    } else if name.starts_with('.') {
        Err(PatternError::WrongDots { segment })
    } else if name.starts_with('…') {
        Err(PatternError::Ellipsis { segment })
    } else {
        Ok(())
    }
}

fn parse_static(folder: &str) -> Result<Segment, PatternError> {
    let text = escape::decode_lenient(folder);
    if text == "." || text == ".." || text.contains('\0') {
        return Err(PatternError::Unreachable {
            segment: folder.to_owned(),
        });
    }
    Ok(Segment::Static(Cow::Owned(normalise(&text).into_owned())))
}

/// Normalises a name to Unicode NFC, the form in which names are compared.
#[cfg(feature = "nfc")]
fn normalise(name: &str) -> Cow<'_, str> {
    use unicode_normalization::{UnicodeNormalization as _, is_nfc};
    if is_nfc(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.nfc().collect())
    }
}

/// Returns a name unchanged: the tools that read folders have normalised it.
#[cfg(not(feature = "nfc"))]
fn normalise(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(name)
}

/// Writes a static segment so that it parses to the same static segment.
fn write_static(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    let is_mark =
        is_group(text) || is_slot(text) || is_private(text) || in_brackets(text).is_some();
    escape::encode(f, text, |at, character| match character {
        '%' | '/' | '\\' => true,
        ' ' => at == 0 || at == last,
        _ => (at == 0 && is_mark) || character.is_control() || character.is_whitespace(),
    })
}

/// Returns `true` if `name` is a Rust identifier, or a keyword that can be a raw identifier.
///
/// Uses the standard library's letters and digits, which are slightly more than `XID_Start` and
/// `XID_Continue` of [the Rust Reference](https://doc.rust-lang.org/reference/identifiers.html).
fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    let starts_well = characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    let never_raw = ["_", "self", "Self", "super", "crate"].contains(&name);
    starts_well && !never_raw && characters.all(|other| other.is_alphanumeric() || other == '_')
}

fn is_kebab_case(name: &str) -> bool {
    let is_small = |character: char| character.is_alphanumeric() && !character.is_uppercase();
    let is_word = |word: &str| !word.is_empty() && word.chars().all(is_small);
    name.contains('-') && name.starts_with(char::is_alphabetic) && name.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ParamName {
        ParamName(Cow::Owned(name.to_owned()))
    }

    #[test]
    fn static_names() {
        let cases = [
            ("items", "items"),
            ("rss.xml", "rss.xml"),
            (".well-known", ".well-known"),
            ("...", "..."),
            ("post-[id]", "post-[id]"),
            ("[id].json", "[id].json"),
            ("[a", "[a"),
            ("a]", "a]"),
            ("[", "["),
            ("(.)y", "(.)y"),
            ("a_", "a_"),
            ("%5Funder", "_under"),
            ("%5Bid]", "[id]"),
            ("pct%20x", "pct x"),
            ("a%2Fb", "a/b"),
            ("100%", "100%"),
            ("%FF", "%FF"),
            ("ünï", "ünï"),
            ("%C3%BC", "ü"),
        ];
        for (folder, expected) in cases {
            assert_eq!(
                Segment::parse(folder),
                Ok(Segment::Static(expected.to_owned().into())),
                "{folder}"
            );
        }
    }

    #[test]
    fn dynamic_names() {
        let cases = [
            ("[slug]", Segment::Param(name("slug"))),
            ("[camelCase]", Segment::Param(name("camelCase"))),
            ("[Slug]", Segment::Param(name("Slug"))),
            ("[a_1]", Segment::Param(name("a_1"))),
            ("[_a]", Segment::Param(name("_a"))),
            ("[type]", Segment::Param(name("type"))),
            ("[ü]", Segment::Param(name("ü"))),
            ("[__proto__]", Segment::Param(name("__proto__"))),
            ("[kebab-name]", Segment::Param(name("kebab-name"))),
            ("[a-1]", Segment::Param(name("a-1"))),
            ("[...rest]", Segment::CatchAll(name("rest"))),
            ("[[...rest]]", Segment::OptionalCatchAll(name("rest"))),
        ];
        for (folder, expected) in cases {
            assert_eq!(Segment::parse(folder), Ok(expected), "{folder}");
        }
    }

    #[test]
    fn refused_param_names() {
        for name in [
            "1a", "a b", "$a", "a.b", "a-", "-a", "a--b", "A-b", "a_b-c", "_", "self", "a][b", "é!",
        ] {
            let expected = PatternError::InvalidName {
                segment: format!("[{name}]"),
                name: name.to_owned(),
            };
            assert_eq!(Segment::parse(&format!("[{name}]")), Err(expected));
        }
    }

    #[test]
    fn common_mistakes() {
        let segment = |text: &str| text.to_owned();
        let cases = [
            (
                "[]",
                PatternError::EmptyName {
                    segment: segment("[]"),
                },
            ),
            (
                "[...]",
                PatternError::EmptyName {
                    segment: segment("[...]"),
                },
            ),
            (
                "[[...]]",
                PatternError::EmptyName {
                    segment: segment("[[...]]"),
                },
            ),
            (
                "[[]]",
                PatternError::EmptyName {
                    segment: segment("[[]]"),
                },
            ),
            (
                "[[x]]",
                PatternError::OptionalParam {
                    segment: segment("[[x]]"),
                    name: segment("x"),
                },
            ),
            (
                "[[[x]]]",
                PatternError::ExtraBrackets {
                    segment: segment("[[[x]]]"),
                },
            ),
            (
                "[[[...x]]]",
                PatternError::ExtraBrackets {
                    segment: segment("[[[...x]]]"),
                },
            ),
            (
                "[[x]",
                PatternError::ExtraBrackets {
                    segment: segment("[[x]"),
                },
            ),
            (
                "[x]]",
                PatternError::ExtraBrackets {
                    segment: segment("[x]]"),
                },
            ),
            (
                "[...[x]]",
                PatternError::ExtraBrackets {
                    segment: segment("[...[x]]"),
                },
            ),
            (
                "[.x]",
                PatternError::WrongDots {
                    segment: segment("[.x]"),
                },
            ),
            (
                "[..x]",
                PatternError::WrongDots {
                    segment: segment("[..x]"),
                },
            ),
            (
                "[....x]",
                PatternError::WrongDots {
                    segment: segment("[....x]"),
                },
            ),
            (
                "[[..x]]",
                PatternError::WrongDots {
                    segment: segment("[[..x]]"),
                },
            ),
            (
                "[…x]",
                PatternError::Ellipsis {
                    segment: segment("[…x]"),
                },
            ),
            (
                "[[…x]]",
                PatternError::Ellipsis {
                    segment: segment("[[…x]]"),
                },
            ),
            (
                ".",
                PatternError::Unreachable {
                    segment: segment("."),
                },
            ),
            (
                "%2e%2E",
                PatternError::Unreachable {
                    segment: segment("%2e%2E"),
                },
            ),
            (
                "a%00",
                PatternError::Unreachable {
                    segment: segment("a%00"),
                },
            ),
        ];
        for (folder, expected) in cases {
            assert_eq!(Segment::parse(folder), Err(expected), "{folder}");
        }
    }

    #[test]
    fn the_display_form_parses_to_the_same_segment() {
        let cases = [
            ("_x", "%5Fx"),
            ("@x", "%40x"),
            ("a@x", "a@x"),
            ("(x)", "%28x)"),
            ("(x", "(x"),
            ("[x]", "%5Bx]"),
            ("[x", "[x"),
            ("a/b", "a%2Fb"),
            ("a\\b", "a%5Cb"),
            ("%41", "%2541"),
            ("a b", "a b"),
            (" a ", "%20a%20"),
            ("a\u{a0}b\n\u{7f}", "a%C2%A0b%0A%7F"),
            ("ünï", "ünï"),
        ];
        for (text, expected) in cases {
            let segment = Segment::Static(text.to_owned().into());
            assert_eq!(segment.to_string(), expected);
            assert_eq!(Segment::parse(expected), Ok(segment));
        }
    }

    #[cfg(feature = "nfc")]
    #[test]
    fn names_are_normalised() {
        assert_eq!(Segment::parse("u\u{308}"), Ok(Segment::Static("ü".into())));
        assert_eq!(Segment::parse("u%CC%88"), Ok(Segment::Static("ü".into())));
        assert_eq!(Segment::parse("[u\u{308}]"), Ok(Segment::Param(name("ü"))));
    }
}
