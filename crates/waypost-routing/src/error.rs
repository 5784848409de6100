//! [`PatternError`]: why the path of a folder is not a valid pattern.

use std::{error::Error, fmt};

/// Why the path of a folder is not a valid pattern.
///
/// A message names the invalid folder and what to write instead. The caller adds the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatternError {
    /// A folder's name begins with `_`: neither it nor anything below it is a route.
    Private {
        /// The private folder.
        folder: String,
    },
    /// The path has an empty name: a repeated or a trailing slash.
    EmptyFolder {
        /// The whole path.
        folder: String,
    },
    /// No path can contain this segment: dot segments are removed, and NUL is an error.
    Unreachable {
        /// The folder's name.
        segment: String,
    },
    /// A dynamic segment has no name: `[]`, `[...]`.
    EmptyName {
        /// The folder's name.
        segment: String,
    },
    /// A param has two pairs of brackets: `[[x]]`.
    OptionalParam {
        /// The folder's name.
        segment: String,
        /// The name in the brackets.
        name: String,
    },
    /// A dynamic segment has too many brackets: `[[[x]]]`, `[[x]`.
    ExtraBrackets {
        /// The folder's name.
        segment: String,
    },
    /// The name follows another number of dots than three: `[..x]`.
    WrongDots {
        /// The folder's name.
        segment: String,
    },
    /// The name follows the character `…` instead of three dots: `[…x]`.
    Ellipsis {
        /// The folder's name.
        segment: String,
    },
    /// A name is neither a Rust identifier nor kebab-case.
    InvalidName {
        /// The folder's name.
        segment: String,
        /// The name in the brackets.
        name: String,
    },
    /// A segment follows a catch-all.
    CatchAllNotLast {
        /// The catch-all.
        segment: String,
        /// The segment that follows it.
        next: String,
    },
    /// Two params have the same name.
    RepeatedName {
        /// The name.
        name: String,
    },
    /// Two names differ only in `-` and `_`.
    SimilarNames {
        /// The name further left.
        first: String,
        /// The name further right.
        second: String,
    },
}

/// Writes the fault, a semicolon, and how to fix it.
impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_fault(f)?;
        f.write_str("; ")?;
        self.write_hint(f)
    }
}

impl PatternError {
    fn write_fault(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private { folder } => {
                write!(f, "`{folder}` is private, so nothing in it is a route")
            }
            Self::EmptyFolder { folder } => write!(f, "`{folder}` has an empty name"),
            Self::Unreachable { segment } => write!(f, "no path can have the segment `{segment}`"),
            Self::EmptyName { segment } => write!(f, "`{segment}` has no name"),
            Self::OptionalParam { segment, .. } => {
                write!(
                    f,
                    "`{segment}` would be an optional param, which does not exist"
                )
            }
            Self::ExtraBrackets { segment } => write!(f, "`{segment}` has extra brackets"),
            Self::WrongDots { segment } => {
                write!(f, "`{segment}` does not have exactly three dots")
            }
            Self::Ellipsis { segment } => write!(f, "`{segment}` has the character `…`"),
            Self::InvalidName { segment, name } => {
                write!(f, "`{name}` in `{segment}` is not a valid param name")
            }
            Self::CatchAllNotLast { segment, next } => {
                write!(
                    f,
                    "`{next}` comes after the catch-all `{segment}`, which must be last"
                )
            }
            Self::RepeatedName { name } => write!(f, "the param `{name}` occurs twice"),
            Self::SimilarNames { first, second } => {
                write!(
                    f,
                    "the params `{first}` and `{second}` differ only in `-` and `_`"
                )
            }
        }
    }

    fn write_hint(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private { folder } => {
                let public = folder.trim_start_matches('_');
                let escapes = "%5F".repeat(folder.len() - public.len());
                write!(
                    f,
                    "for a URL with `{folder}`, name the folder `{escapes}{public}`"
                )
            }
            Self::EmptyFolder { .. } => {
                f.write_str("write one `/` between two names and none at the end")
            }
            Self::Unreachable { .. } => f.write_str("rename the folder"),
            Self::EmptyName { .. } => {
                f.write_str("put one in the brackets, such as `[id]` or `[...rest]`")
            }
            Self::OptionalParam { name, .. } => {
                write!(
                    f,
                    "use `[{name}]` for one segment or `[[...{name}]]` for any number"
                )
            }
            Self::ExtraBrackets { .. } => {
                f.write_str("write `[name]`, `[...name]` or `[[...name]]`")
            }
            Self::WrongDots { .. } => f.write_str("write `[...name]` for a catch-all"),
            Self::Ellipsis { .. } => f.write_str("write three dots, as in `[...name]`"),
            Self::InvalidName { .. } => f.write_str(
                "use a Rust identifier such as `post_id`, or kebab-case such as `post-id`",
            ),
            Self::CatchAllNotLast { .. } => {
                f.write_str("move it in front, or make the catch-all a `[name]`")
            }
            Self::RepeatedName { .. } | Self::SimilarNames { .. } => {
                f.write_str("rename one of the two")
            }
        }
    }
}

impl Error for PatternError {}
