//! [`Path`]: a normalised request path, the form that patterns match.
//!
//! All code that decides by the path (the router, a handler, a guard) uses [`Path::resolve`], so that
//! all of it reads a path in the same way. The caller handles queries, fragments and the other forms
//! of a request target (`*`, absolute, authority).

use std::{error::Error, fmt};

use crate::escape::{self, DecodeError};

/// A normalised path: its segments, each percent-decoded exactly once.
///
/// No segment is empty, is `.` or `..`, or contains a NUL. `/` has no segments. The display form is
/// canonical: it escapes every character that is not a `pchar` of [RFC 3986 section
/// 3.3](https://www.rfc-editor.org/rfc/rfc3986#section-3.3). It resolves to the same path.
///
/// # Examples
///
/// ```
/// use waypost_routing::{Path, Resolved};
///
/// let Resolved::Path(path) = Path::resolve("/a/../st%61tic/x%2Fy")? else { unreachable!() };
/// assert!(path.segments().eq(["static", "x/y"]));
/// assert_eq!(path.to_string(), "/static/x%2Fy");
/// # Ok::<(), waypost_routing::PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Path {
    /// The decoded segments, concatenated.
    text: String,
    /// Where each segment ends in `text`.
    ends: Vec<usize>,
}

/// The result of [`Path::resolve`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A normalised path, ready for a look-up.
    Path(Path),
    /// The path to which the client should be redirected with a 308. The caller appends the query.
    ///
    /// It begins with exactly one `/`, so it can't name another host.
    Redirect(String),
}

impl Path {
    /// Normalises the raw path of a request, without its query and fragment.
    ///
    /// The steps are those of Next, in this order:
    ///
    /// 1. A path with backslashes or repeated slashes is redirected. In the new path each backslash is
    ///    a slash and each run of slashes is one slash; the rest is unchanged.
    /// 2. Dot segments (`.`, `..`, also with `%2e` for a dot) are removed as in the [URL
    ///    Standard](https://url.spec.whatwg.org/#path-state). If the last segment is one, the path ends with a slash.
    /// 3. A path with a trailing slash is redirected to the path without it, except for `/`.
    /// 4. The path is split on `/`, and each segment is percent-decoded once.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost_routing::{Path, PathError, Resolved};
    ///
    /// let redirect = |to: &str| Ok(Resolved::Redirect(to.to_owned()));
    /// assert_eq!(Path::resolve("//example.com/x/"), redirect("/example.com/x/"));
    /// assert_eq!(Path::resolve("/a/%2e%2e/x/"), redirect("/x"));
    /// assert_eq!(Path::resolve("/%ZZ"), Err(PathError::MalformedEscape));
    /// ```
    ///
    /// # Errors
    ///
    /// [`PathError`], which a server answers with a 400, if the path does not start with `/`, contains
    /// a character that paths may not contain, or has a segment that does not decode.
    pub fn resolve(raw: &str) -> Result<Resolved, PathError> {
        check_bytes(raw)?;
        if let Some(target) = collapse_slashes(raw) {
            return Ok(Resolved::Redirect(target));
        }
        let mut path = remove_dot_segments(raw);
        if path.len() > 1 && path.ends_with('/') {
            path.pop();
            return Ok(Resolved::Redirect(path));
        }
        Self::decode(&path).map(Resolved::Path)
    }

    /// Iterates over the decoded segments.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.segment(index).unwrap_or_default())
    }

    /// Returns the number of segments.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the segment at `index`, or `None` if there are fewer segments.
    pub(crate) fn segment(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        // `get` instead of an index: the compiler can't see that an index is in bounds, and the code for its panic
        // message takes 7 kB of a component.
        self.text.get(self.start(index)..end)
    }

    /// Appends a decoded segment.
    pub(crate) fn push(&mut self, segment: &str) {
        self.text.push_str(segment);
        self.ends.push(self.text.len());
    }

    /// Decodes a normalised path.
    fn decode(path: &str) -> Result<Self, PathError> {
        let mut decoded = Self {
            text: String::with_capacity(path.len()),
            ends: Vec::new(),
        };
        for segment in segments(path).filter(|segment| !segment.is_empty()) {
            if segment.bytes().any(|byte| byte == b'%') {
                decoded.push(&decode_segment(segment)?);
            } else {
                decoded.push(segment);
            }
        }
        Ok(decoded)
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ends.is_empty() {
            return f.write_str("/");
        }
        for segment in self.segments() {
            f.write_str("/")?;
            escape::encode(f, segment, |_, character| !is_pchar(character))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Path ")?;
        f.debug_list().entries(self.segments()).finish()
    }
}

/// Why a path is invalid. It is the client's fault, and the response is a 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathError {
    /// The path does not start with `/`. `*`, as in `OPTIONS *`, is not a path either.
    NotAbsolute,
    /// The path contains an unescaped control character, space, non-ASCII character, `?` or `#`.
    ForbiddenCharacter,
    /// A `%` is not followed by two hexadecimal digits.
    MalformedEscape,
    /// A segment does not decode to UTF-8.
    InvalidUtf8,
    /// A segment contains an escaped NUL.
    Nul,
}

impl PathError {
    /// Returns the display form as a static string.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAbsolute => "the path does not start with `/`",
            Self::ForbiddenCharacter => "the path has a character that must be percent-encoded",
            Self::MalformedEscape => "the path has a `%` without two hexadecimal digits",
            Self::InvalidUtf8 => "the path does not decode to UTF-8",
            Self::Nul => "the path has a NUL character",
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error for PathError {}

impl From<DecodeError> for PathError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::MalformedEscape => Self::MalformedEscape,
            DecodeError::InvalidUtf8 => Self::InvalidUtf8,
        }
    }
}

/// Checks that a path contains only allowed characters, before any part of it can reach a `Location` header.
fn check_bytes(raw: &str) -> Result<(), PathError> {
    if !raw.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'?' && byte != b'#';
    if raw.bytes().all(allowed) {
        Ok(())
    } else {
        Err(PathError::ForbiddenCharacter)
    }
}

/// Returns `raw` with backslashes and runs of slashes replaced by one slash, or `None` if it has neither.
fn collapse_slashes(raw: &str) -> Option<String> {
    let is_run = |pair: &[u8]| pair == b"//";
    if !raw.bytes().any(|byte| byte == b'\\') && !raw.as_bytes().windows(2).any(is_run) {
        return None;
    }
    let mut collapsed = String::new();
    for byte in raw.bytes() {
        let byte = if byte == b'\\' { b'/' } else { byte };
        if byte != b'/' || !collapsed.ends_with('/') {
            collapsed.push(char::from(byte));
        }
    }
    Some(collapsed)
}

/// Removes the dot segments of a path without repeated slashes.
///
/// The result ends with a slash if the path does, or if its last segment was a dot segment.
fn remove_dot_segments(raw: &str) -> String {
    let mut kept = String::with_capacity(raw.len());
    let mut ends_in_slash = false;
    for segment in segments(raw) {
        ends_in_slash = true;
        match DotSegment::of(segment) {
            Some(DotSegment::Single) => {}
            Some(DotSegment::Double) => {
                let parent = kept.bytes().rposition(|byte| byte == b'/');
                kept.truncate(parent.unwrap_or_default());
            }
            None if segment.is_empty() => {}
            None => {
                kept.push('/');
                kept.push_str(segment);
                ends_in_slash = false;
            }
        }
    }
    if ends_in_slash {
        kept.push('/');
    }
    kept
}

/// Splits a path at its slashes.
///
/// Works on bytes instead of `str::split`, which would make a handler's component larger.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        let path = rest.strip_prefix('/')?;
        let end = path.bytes().position(|byte| byte == b'/');
        let (segment, tail) = path.split_at_checked(end.unwrap_or(path.len()))?;
        rest = tail;
        Some(segment)
    })
}

#[derive(Clone, Copy)]
enum DotSegment {
    Single,
    Double,
}

impl DotSegment {
    fn of(segment: &str) -> Option<Self> {
        let rest = strip_dot(segment)?;
        if rest.is_empty() {
            return Some(Self::Single);
        }
        strip_dot(rest)?.is_empty().then_some(Self::Double)
    }
}

/// Removes a `.` or `%2e` from the start.
fn strip_dot(segment: &str) -> Option<&str> {
    let dot = ["%2e", "%2E"]
        .iter()
        .find_map(|dot| segment.strip_prefix(dot));
    dot.or_else(|| segment.strip_prefix('.'))
}

fn decode_segment(segment: &str) -> Result<String, PathError> {
    let decoded = escape::decode_strict(segment)?;
    if decoded.bytes().any(|byte| byte == 0) {
        Err(PathError::Nul)
    } else {
        Ok(decoded)
    }
}

/// Returns `true` if a character may occur unescaped in a segment
/// ([RFC 3986 section 3.3](https://www.rfc-editor.org/rfc/rfc3986#section-3.3)).
fn is_pchar(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(raw: &str) -> Path {
        match Path::resolve(raw) {
            Ok(Resolved::Path(path)) => path,
            other => panic!("`{raw}` resolves to {other:?}"),
        }
    }

    #[test]
    fn segments_are_decoded_once() {
        let cases: [(&str, &[&str]); 9] = [
            ("/", &[]),
            ("/a", &["a"]),
            ("/a/b", &["a", "b"]),
            ("/%61%2Fb/%2520", &["a/b", "%20"]),
            ("/a+b;c=%2B", &["a+b;c=+"]),
            ("/%C3%BC", &["ü"]),
            ("/.../.a/a.", &["...", ".a", "a."]),
            ("/..%2f/%2e%2e%2f", &["../", "../"]),
            ("/\"<>^`{|}", &["\"<>^`{|}"]),
        ];
        for (raw, expected) in cases {
            assert!(
                resolved(raw).segments().eq(expected.iter().copied()),
                "{raw}"
            );
        }
    }

    #[test]
    fn dot_segments_are_removed() {
        let cases: [(&str, &[&str]); 9] = [
            ("/.", &[]),
            ("/..", &[]),
            ("/a/..", &[]),
            ("/../../a", &["a"]),
            ("/a/./b", &["a", "b"]),
            ("/a/../b", &["b"]),
            ("/a/%2e/b", &["a", "b"]),
            ("/a/%2E%2e/b", &["b"]),
            ("/a/.%2E/%2e./b", &["b"]),
        ];
        for (raw, expected) in cases {
            assert!(
                resolved(raw).segments().eq(expected.iter().copied()),
                "{raw}"
            );
        }
    }

    #[test]
    fn redirects() {
        let cases = [
            ("//", "/"),
            ("/\\", "/"),
            ("//example.com/", "/example.com/"),
            ("/\\example.com", "/example.com"),
            ("/a//../b/%ZZ", "/a/../b/%ZZ"),
            ("/a\\b", "/a/b"),
            ("/a/", "/a"),
            ("/a/b/..", "/a"),
            ("/a/b/.", "/a/b"),
            ("/a/b/%2e/", "/a/b"),
            ("/./x%2Fy/", "/x%2Fy"),
            ("/%5Cexample.com/", "/%5Cexample.com"),
        ];
        for (raw, expected) in cases {
            assert_eq!(
                Path::resolve(raw),
                Ok(Resolved::Redirect(expected.to_owned())),
                "{raw}"
            );
        }
    }

    #[test]
    fn errors() {
        let cases = [
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("a/b", PathError::NotAbsolute),
            ("\\a", PathError::NotAbsolute),
            ("http://a/b", PathError::NotAbsolute),
            ("/a b", PathError::ForbiddenCharacter),
            ("/a\tb", PathError::ForbiddenCharacter),
            ("//a\r\nb", PathError::ForbiddenCharacter),
            ("/a\0", PathError::ForbiddenCharacter),
            ("/\u{7f}", PathError::ForbiddenCharacter),
            ("/ü", PathError::ForbiddenCharacter),
            ("/a?b", PathError::ForbiddenCharacter),
            ("/a#b", PathError::ForbiddenCharacter),
            ("/%", PathError::MalformedEscape),
            ("/a/%2", PathError::MalformedEscape),
            ("/%ZZ/a", PathError::MalformedEscape),
            ("/%FF", PathError::InvalidUtf8),
            ("/%C3/%BC", PathError::InvalidUtf8),
            ("/a%00", PathError::Nul),
        ];
        for (raw, expected) in cases {
            assert_eq!(Path::resolve(raw), Err(expected), "{raw:?}");
        }
    }

    #[test]
    fn the_display_form_is_canonical() {
        let cases = [
            ("/", "/"),
            ("/%61%2f%20ü", "/a%2F%20%C3%BC"),
            ("/a:@!$'()*+,;=~", "/a:@!$'()*+,;=~"),
        ];
        for (raw, expected) in cases {
            let path = resolved(&raw.replace('ü', "%c3%bc"));
            assert_eq!(path.to_string(), expected);
            assert_eq!(resolved(expected), path);
        }
    }

    #[test]
    fn segments_by_index() {
        let path = resolved("/a/bc/d");
        assert_eq!(path.len(), 3);
        assert_eq!(
            [0, 1, 2, 3].map(|index| path.segment(index)),
            [Some("a"), Some("bc"), Some("d"), None]
        );
        assert_eq!(format!("{path:?}"), r#"Path ["a", "bc", "d"]"#);
    }
}
