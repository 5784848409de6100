//! [`Asked`]: what a client wants of a stored response, by its conditional and range headers.

use crate::headers::is_not_modified;

/// What the client of a stored response asked for. `V` is a header value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked<V> {
    /// The lines of `If-Match`.
    pub if_match: Vec<V>,
    /// The lines of `If-None-Match`.
    pub if_none_match: Vec<V>,
    /// `Range` of a GET request. It is not defined for other methods
    /// ([RFC 9110 section 14.2](https://www.rfc-editor.org/rfc/rfc9110#section-14.2)).
    pub range: Option<V>,
    /// `If-Range`.
    pub if_range: Option<V>,
}

/// What a client gets of a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it.
    Whole,
    /// A 206 with the bytes from the first to the last, both included
    /// ([RFC 9110 section 15.3.7](https://www.rfc-editor.org/rfc/rfc9110#section-15.3.7)).
    Part(usize, usize),
    /// A 416: the range is beyond the end
    /// ([RFC 9110 section 15.5.17](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.17)).
    Unsatisfiable,
    /// A 304: the client has it already
    /// ([RFC 9110 section 15.4.5](https://www.rfc-editor.org/rfc/rfc9110#section-15.4.5)).
    NotModified,
    /// A 412: the client has a part of another version
    /// ([RFC 9110 section 15.5.13](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.13)).
    AnotherVersion,
}

impl<V: AsRef<[u8]>> Asked<V> {
    /// Decides what the client gets of a response with this status and entity tag, whose body has this length in bytes.
    pub fn select(&self, status: u16, etag: Option<&[u8]>, length: usize) -> Selection {
        if self.is_for_another(etag) {
            return Selection::AnotherVersion;
        }
        if is_not_modified(status, etag, self.if_none_match.iter().map(AsRef::as_ref)) {
            return Selection::NotModified;
        }
        self.range_of(status, etag, length)
            .unwrap_or(Selection::Whole)
    }

    /// Returns whether `If-Match` names other versions only, by strong comparison
    /// ([RFC 9110 section 13.1.1](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1)): the client has a part of one of
    /// these.
    fn is_for_another(&self, etag: Option<&[u8]>) -> bool {
        let is_this = |tag: &[u8]| tag == b"*" || Some(tag) == etag && !tag.starts_with(b"W/");
        let mut tags = self.if_match.iter().flat_map(|line| {
            let tags = line.as_ref().split(|byte| *byte == b',');
            tags.map(<[u8]>::trim_ascii)
        });
        !self.if_match.is_empty() && !tags.any(is_this)
    }

    /// Returns the part of the body that the client asked for, or `None` for all of it.
    fn range_of(&self, status: u16, etag: Option<&[u8]>, length: usize) -> Option<Selection> {
        let range = std::str::from_utf8(self.range.as_ref()?.as_ref()).ok()?;
        if status != 200 {
            return None;
        }
        if let Some(condition) = &self.if_range {
            // A weak tag, or a date, which is not strong either, never matches (RFC 9110 section 13.1.5).
            let condition = condition.as_ref();
            if condition.starts_with(b"W/") || etag != Some(condition) {
                return None;
            }
        }
        parse_range(range, length)
    }
}

/// Parses the value of `Range` for a body of this length. Returns `None` if it is malformed, has another unit, or names
/// several ranges: a server may then send the whole body (RFC 9110 section 14.2).
fn parse_range(text: &str, length: usize) -> Option<Selection> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| -> Option<usize> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A larger number is beyond every end.
        is_number.then(|| text.parse().unwrap_or(usize::MAX))
    };
    let (first, last) = match (first, last) {
        // The last bytes, as many as the number says.
        ("", last) => match number(last)? {
            0 => return Some(Selection::Unsatisfiable),
            suffix => (length.saturating_sub(suffix), usize::MAX),
        },
        (first, "") => (number(first)?, usize::MAX),
        (first, last) => (number(first)?, number(last)?),
    };
    if last < first {
        return None;
    }
    let end = length.checked_sub(1).filter(|end| first <= *end);
    Some(end.map_or(Selection::Unsatisfiable, |end| {
        Selection::Part(first, last.min(end))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |first, last| Some(Selection::Part(first, last));
        let beyond = Some(Selection::Unsatisfiable);
        for (text, length, expected) in [
            ("bytes=0-", 10, part(0, 9)),
            ("bytes=2-4", 10, part(2, 4)),
            ("bytes=2-99", 10, part(2, 9)),
            ("bytes=-3", 10, part(7, 9)),
            ("bytes=-99", 10, part(0, 9)),
            ("bytes=9-9", 10, part(9, 9)),
            ("bytes=0-99999999999999999999999", 10, part(0, 9)),
            ("bytes=10-", 10, beyond),
            ("bytes=99999999999999999999999-", 10, beyond),
            ("bytes=-0", 10, beyond),
            ("bytes=0-0", 0, beyond),
            ("bytes=-1", 0, beyond),
            ("bytes=4-2", 10, None),
            ("bytes=0-1,3-4", 10, None),
            ("bytes=+1-2", 10, None),
            ("bytes=a-b", 10, None),
            ("bytes=-", 10, None),
            ("items=0-1", 10, None),
            ("", 10, None),
        ] {
            assert_eq!(parse_range(text, length), expected, "{text} of {length}");
        }
    }

    #[test]
    fn conditions_come_before_ranges() {
        let asked = |name: &str, value: &'static str| {
            let mut asked = Asked {
                range: Some("bytes=1-2"),
                ..Asked::default()
            };
            match name {
                "if-match" => asked.if_match.push(value),
                "if-none-match" => asked.if_none_match.push(value),
                _ => asked.if_range = Some(value),
            }
            asked
        };
        for (name, value, expected) in [
            ("if-match", "\"b\"", Selection::AnotherVersion),
            ("if-match", "W/\"a\"", Selection::AnotherVersion),
            ("if-match", "\"b\", \"a\"", Selection::Part(1, 2)),
            ("if-match", "*", Selection::Part(1, 2)),
            ("if-none-match", "W/\"a\"", Selection::NotModified),
            ("if-none-match", "\"b\"", Selection::Part(1, 2)),
            ("if-range", "\"a\"", Selection::Part(1, 2)),
            ("if-range", "\"b\"", Selection::Whole),
            ("if-range", "W/\"a\"", Selection::Whole),
        ] {
            let selected = asked(name, value).select(200, Some(b"\"a\""), 10);
            assert_eq!(selected, expected, "{name}: {value}");
        }
        let range = asked("if-range", "\"a\"");
        assert_eq!(range.select(404, Some(b"\"a\""), 10), Selection::Whole);
    }
}
