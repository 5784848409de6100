//! The requests that follow each other on a connection, as far as that tells where their lines are.

use super::fields::{Fields, Framing};
use super::line::{Found, RequestLine};

/// Follows the bytes that a client sends, and finds those of request lines that must be encoded.
///
/// It agrees with hyper on where each request begins, or stops looking for good: with HTTP/2, whose preface
/// goes on with no request line, with chunks, and with everything that it does not know.
#[derive(Debug)]
pub(super) enum Messages {
    /// Before a request line; empty lines may come first (RFC 9112, section 2.2).
    Start,
    /// In a request line, of which so many bytes were seen.
    Line(RequestLine, usize),
    Fields(Fields),
    /// In content, of which so many bytes are left.
    Content(u64),
    /// In what is not followed.
    Unknown,
}

impl Messages {
    /// Tells whether this is within a head.
    pub(super) fn is_in_head(&self) -> bool {
        matches!(self, Self::Line(..) | Self::Fields(_))
    }

    /// How many bytes of a request line were seen, if this is within one.
    pub(super) fn line_length(&self) -> usize {
        match self {
            Self::Line(_, seen) => *seen,
            Self::Start | Self::Fields(_) | Self::Content(_) | Self::Unknown => 0,
        }
    }

    /// Goes on to the next byte that must be encoded; gives its place in `bytes`. What comes after it is for
    /// the next call.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self {
                Self::Unknown => return None,
                Self::Content(left) => {
                    let (here, rest) = passed(*left, bytes.len() - at);
                    at += here;
                    *self = rest.map_or(Self::Start, Self::Content);
                }
                Self::Fields(fields) if byte != b'\n' && fields.is_in_any_value() => {
                    // Most bytes of a head are such: none of them matters before the end of the line.
                    let line = bytes[at..].iter().position(|byte| *byte == b'\n');
                    at = line.map_or(bytes.len(), |length| at + length);
                }
                Self::Start | Self::Line(..) | Self::Fields(_) => {
                    if self.take(byte) {
                        return Some(at);
                    }
                    at += 1;
                }
            }
        }
        None
    }

    /// Takes the next byte of a head; tells whether it must be encoded.
    fn take(&mut self, byte: u8) -> bool {
        match self {
            Self::Start if matches!(byte, b'\r' | b'\n') => {}
            Self::Start => {
                *self = Self::Line(RequestLine::new(), 0);
                return self.take(byte);
            }
            Self::Line(line, seen) => {
                *seen += 1;
                match line.take(byte) {
                    Found::Plain => {}
                    Found::Unsafe => return true,
                    Found::End => *self = Self::Fields(Fields::new()),
                    Found::Foreign => *self = Self::Unknown,
                }
            }
            Self::Fields(fields) => match fields.take(byte) {
                None => {}
                Some(Framing::Length(0)) => *self = Self::Start,
                Some(Framing::Length(length)) => *self = Self::Content(length),
                Some(Framing::Unknown) => *self = Self::Unknown,
            },
            Self::Content(_) | Self::Unknown => {}
        }
        false
    }
}

/// Of content of `left` bytes, how many are among the next `here`, and how many remain if any do.
fn passed(left: u64, here: usize) -> (usize, Option<u64>) {
    match usize::try_from(left) {
        Ok(left) if left <= here => (left, None),
        _ => {
            let taken = u64::try_from(here).unwrap_or(left);
            (here, Some(left - taken))
        }
    }
}
