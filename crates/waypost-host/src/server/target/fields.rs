//! The header fields of one request, as far as they say where the next one begins.

/// The longest name that is of interest: `transfer-encoding`.
const LONGEST_NAME: usize = 17;

/// How long the content after a head is (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(u64),
    /// What the head says of it is not followed here: chunks, several lengths, something malformed.
    Unknown,
}

/// Reads header fields byte by byte, up to the empty line that ends them.
///
/// Whatever hyper refuses may be misread: it ends the connection. What it takes has one field to a line, no
/// folded ones, and no white space before the colon.
#[derive(Debug)]
pub(super) struct Fields {
    place: Place,
    length: Option<u64>,
    is_unknown: bool,
}

#[derive(Debug)]
enum Place {
    Name(Name),
    /// In the value of a `Content-Length`.
    Length(Digits),
    /// In a value that says nothing about the content.
    Value,
}

/// The beginning of a field's name, in lower case, and how long the name is up to here.
#[derive(Debug)]
struct Name {
    text: [u8; LONGEST_NAME],
    length: usize,
}

/// A number on its way: nothing, digits, and white space around them (RFC 9110, section 8.6).
#[derive(Clone, Copy, Debug)]
enum Digits {
    Before,
    Within(u64),
    After(u64),
    Malformed,
}

impl Fields {
    /// Stands before the first field.
    pub(super) fn new() -> Self {
        Self {
            place: Place::Name(Name::new()),
            length: None,
            is_unknown: false,
        }
    }

    /// Takes the next byte; tells what follows the head when this is its last one.
    pub(super) fn take(&mut self, byte: u8) -> Option<Framing> {
        match (&mut self.place, byte) {
            // No line has this anywhere but before its line feed.
            (_, b'\r') => {}
            (Place::Name(name), b'\n') if name.length == 0 => return Some(self.framing()),
            (_, b'\n') => self.end_line(),
            (Place::Name(name), b':') => {
                self.is_unknown |= name.text() == b"transfer-encoding";
                self.place = match name.text() {
                    b"content-length" => Place::Length(Digits::Before),
                    _ => Place::Value,
                };
            }
            (Place::Name(name), byte) => name.push(byte),
            (Place::Length(digits), byte) => *digits = digits.after(byte),
            (Place::Value, _) => {}
        }
        None
    }

    /// Tells whether the next byte is of a value that says nothing about the content.
    pub(super) fn is_in_any_value(&self) -> bool {
        matches!(self.place, Place::Value)
    }

    fn end_line(&mut self) {
        if let Place::Length(digits) = &self.place {
            let is_first = self.length.is_none();
            self.length = digits.number();
            self.is_unknown |= !is_first || self.length.is_none();
        }
        self.place = Place::Name(Name::new());
    }

    fn framing(&self) -> Framing {
        match self.is_unknown {
            true => Framing::Unknown,
            false => Framing::Length(self.length.unwrap_or(0)),
        }
    }
}

impl Name {
    fn new() -> Self {
        Self {
            text: [0; LONGEST_NAME],
            length: 0,
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = byte.to_ascii_lowercase();
        }
        self.length = self.length.saturating_add(1);
    }

    /// The name; nothing where it is longer than those of interest.
    fn text(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}

impl Digits {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Before, b' ' | b'\t') => Self::Before,
            (Self::Before, b'0'..=b'9') => Self::Within(u64::from(byte - b'0')),
            (Self::Within(number), b'0'..=b'9') => number
                .checked_mul(10)
                .and_then(|number| number.checked_add(u64::from(byte - b'0')))
                .map_or(Self::Malformed, Self::Within),
            (Self::Within(number) | Self::After(number), b' ' | b'\t') => Self::After(number),
            _ => Self::Malformed,
        }
    }

    fn number(self) -> Option<u64> {
        match self {
            Self::Within(number) | Self::After(number) => Some(number),
            Self::Before | Self::Malformed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fields: &str) -> Option<Framing> {
        let mut place = Fields::new();
        let mut ends = fields.bytes().map(|byte| place.take(byte));
        let framing = ends.find_map(|end| end);
        assert!(ends.next().is_none(), "{fields:?} ends with its empty line");
        framing
    }

    #[test]
    fn a_head_says_how_long_its_content_is() {
        for (fields, length) in [
            ("\r\n", 0),
            ("\n", 0),
            ("a: content-length: 5\r\n\r\n", 0),
            ("x-content-length: 5\r\n\r\n", 0),
            ("transfer-encodings: chunked\r\ncontent-lengt: 5\r\n\r\n", 0),
            ("Content-Length: 5\r\n\r\n", 5),
            ("a:b\nCONTENT-LENGTH:\t 05 \t\n\n", 5),
            (
                "content-length:18446744073709551615\r\na:\r\n\r\n",
                u64::MAX,
            ),
        ] {
            assert_eq!(framing(fields), Some(Framing::Length(length)), "{fields:?}");
        }
    }

    #[test]
    fn what_is_not_followed_is_unknown() {
        for fields in [
            "Transfer-Encoding: chunked\r\n\r\n",
            "transfer-encoding:\ncontent-length: 5\n\n",
            "content-length: 5\r\ncontent-length: 5\r\n\r\n",
            "content-length: x\r\ncontent-length: 5\r\n\r\n",
            "content-length:\r\n\r\n",
            "content-length: +5\r\n\r\n",
            "content-length: 5, 5\r\n\r\n",
            "content-length: 5 5\r\n\r\n",
            "content-length: 18446744073709551616\r\n\r\n",
        ] {
            assert_eq!(framing(fields), Some(Framing::Unknown), "{fields:?}");
        }
    }

    #[test]
    fn a_head_without_its_empty_line_is_not_over() {
        for fields in ["", "\r", "a: b\r\n", "content-length: 5\r\n\r"] {
            assert_eq!(framing(fields), None, "{fields:?}");
        }
    }
}
