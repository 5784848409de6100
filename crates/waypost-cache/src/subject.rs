//! [`Subject`]: what an invalidation names, and what an entry depends on.

use std::fmt;
#[cfg(feature = "store")]
use std::num::NonZeroU32;

#[cfg(feature = "store")]
use sha2::{Digest as _, Sha256};
use waypost_routing::{Path, Pattern, Resolved};

use crate::escape;
use crate::key::{MAX_DEPTH, MAX_PATH, check_path};
use crate::tag::{TagError, check_tag};

/// What an invalidation names: a tag, a path, all paths below one, or a route.
///
/// The display form has the kind as a prefix, so that a tag can't be taken for a path: `tag:posts`, `path:/blog/a`,
/// `below:/blog`, `route:/blog/[slug]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    kind: Kind,
    name: String,
}

/// The kind of a [`Subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// All responses with a tag.
    Tag,
    /// The responses of one path, with any query and headers.
    Path,
    /// The responses of a path and of all paths below it.
    Below,
    /// The responses of a route.
    Route,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Tag, Self::Path, Self::Below, Self::Route];

    /// Returns the name of the kind, the prefix of the display form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Path => "path",
            Self::Below => "below",
            Self::Route => "route",
        }
    }
}

/// Why a text can't be invalidated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// The text is not a tag.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The text is not a path.
    #[error("`{path}` is not a path; write one that starts with `/`, such as `/blog/a`")]
    NotAPath {
        /// The text.
        path: String,
    },
    /// The path has a query or a fragment.
    #[error(
        "`{path}` has a query; leave it out, because all queries of a path are revalidated together"
    )]
    HasQuery {
        /// The path.
        path: String,
    },
    /// The path is too long or too deep to be in the cache.
    #[error(
        "a path to revalidate is longer than {MAX_PATH} bytes, or has more than {MAX_DEPTH} segments"
    )]
    TooLong,
    /// The text is not a pattern.
    #[error("`{pattern}` is not a route: {reason}")]
    NotARoute {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Subject {
    /// Creates the subject of all responses with a tag.
    ///
    /// # Errors
    ///
    /// Returns an error if the tag is empty or too long.
    pub fn tag(tag: &str) -> Result<Self, SubjectError> {
        check_tag(tag)?;
        Ok(Self::new(Kind::Tag, tag))
    }

    /// Creates the subject of one path. A trailing slash is ignored, and characters that a path can't contain are
    /// escaped.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a path, has a query, or is too long.
    pub fn path(path: &str) -> Result<Self, SubjectError> {
        Ok(Self::new(Kind::Path, &canonical_path(path)?))
    }

    /// Creates the subject of a path and of all paths below it. `/` stands for all paths.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a path, has a query, or is too long.
    pub fn below(path: &str) -> Result<Self, SubjectError> {
        Ok(Self::new(Kind::Below, &canonical_path(path)?))
    }

    /// Creates the subject of a route, given by its pattern, such as `/blog/[slug]`.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a pattern.
    pub fn route(pattern: &str) -> Result<Self, SubjectError> {
        match Pattern::parse(pattern) {
            Ok(valid) => Ok(Self::new(Kind::Route, &valid.to_string())),
            Err(error) => Err(SubjectError::NotARoute {
                pattern: pattern.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Creates a subject from its kind and name.
    ///
    /// # Errors
    ///
    /// Returns the error of [`tag`](Self::tag), [`path`](Self::path), [`below`](Self::below) or [`route`](Self::route).
    pub fn of_kind(kind: Kind, name: &str) -> Result<Self, SubjectError> {
        match kind {
            Kind::Tag => Self::tag(name),
            Kind::Path => Self::path(name),
            Kind::Below => Self::below(name),
            Kind::Route => Self::route(name),
        }
    }

    /// Returns the subjects that a response depends on, in a fixed order: its path, the path's ancestors from the root
    /// down, the path itself as an ancestor, the route, and the tags.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost_cache::Subject;
    /// use waypost_routing::{Path, Pattern, Resolved};
    ///
    /// let Resolved::Path(path) = Path::resolve("/blog/a")? else { unreachable!() };
    /// let pattern = Pattern::parse("/blog/[slug]")?;
    /// let subjects = Subject::of_response(&path, &pattern, &["posts".to_owned()]);
    /// let texts: Vec<_> = subjects.iter().map(ToString::to_string).collect();
    /// assert_eq!(
    ///     texts,
    ///     ["path:/blog/a", "below:/", "below:/blog", "below:/blog/a", "route:/blog/[slug]", "tag:posts"]
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_response(path: &Path, pattern: &Pattern, tags: &[String]) -> Vec<Self> {
        let path = path.to_string();
        let mut subjects = vec![Self::new(Kind::Path, &path), Self::new(Kind::Below, "/")];
        if path != "/" {
            let slashes = path
                .bytes()
                .enumerate()
                .skip(1)
                .filter(|(_, byte)| *byte == b'/');
            let ends = slashes.map(|(at, _)| at).chain([path.len()]);
            subjects.extend(ends.map(|end| Self::new(Kind::Below, &path[..end])));
        }
        subjects.push(Self::new(Kind::Route, &pattern.to_string()));
        subjects.extend(tags.iter().map(|tag| Self::new(Kind::Tag, tag)));
        subjects
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the name without the kind: a tag, a canonical path or a pattern.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Computes the slot of the subject in a store with a fixed number of slots. Subjects with the same slot are
    /// invalidated together, which is safe.
    #[cfg(feature = "store")]
    pub fn slot(&self, slots: NonZeroU32) -> u32 {
        crate::key::slot(&Sha256::digest(self.to_string().as_bytes()).into(), slots)
    }

    fn new(kind: Kind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.name)
    }
}

/// Normalises a path as the router does, and follows the redirects that the router would send.
fn canonical_path(path: &str) -> Result<String, SubjectError> {
    // Each byte may be escaped.
    if path.len() > 3 * MAX_PATH {
        return Err(SubjectError::TooLong);
    }
    if path.contains(['?', '#']) {
        return Err(SubjectError::HasQuery {
            path: path.to_owned(),
        });
    }
    let mut raw = String::new();
    escape::encode(&mut raw, path.as_bytes(), PATH_CHARACTERS);
    loop {
        match Path::resolve(&raw) {
            // A redirect only removes characters, so this ends.
            Ok(Resolved::Redirect(target)) => raw = target,
            Ok(Resolved::Path(valid)) => {
                check_path(&valid).map_err(|_| SubjectError::TooLong)?;
                return Ok(valid.to_string());
            }
            Err(_) => {
                return Err(SubjectError::NotAPath {
                    path: path.to_owned(),
                });
            }
        }
    }
}

/// The characters besides unreserved ones that stay as they are: those of a path
/// ([RFC 3986 section 3.3](https://www.rfc-editor.org/rfc/rfc3986#section-3.3)), the escapes that it has already, and the
/// backslash, which the router reads as a slash.
const PATH_CHARACTERS: &[u8] = b"/%!$&'()*+,;=:@\\";

#[cfg(test)]
mod tests;
