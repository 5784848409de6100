//! Percent-escapes ([RFC 3986 section 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)).
//!
//! Request paths are decoded strictly, folder names leniently. This module neither splits paths nor
//! interprets names.

use std::fmt;

/// Why a text cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeError {
    MalformedEscape,
    InvalidUtf8,
}

/// Decodes every escape once. A malformed escape, or bytes that are not UTF-8, are an error.
pub(crate) fn decode_strict(text: &str) -> Result<String, DecodeError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = rest else {
            return Err(DecodeError::MalformedEscape);
        };
        rest = tail;
        bytes.push(byte_of(*high, *low).ok_or(DecodeError::MalformedEscape)?);
    }
    String::from_utf8(bytes).map_err(|_| DecodeError::InvalidUtf8)
}

/// Decodes every escape that is well formed and part of valid UTF-8, and keeps all others unchanged.
pub(crate) fn decode_lenient(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let (plain, escapes) = rest.split_at(start);
        decoded.push_str(plain);
        let run = escape_run(escapes.as_bytes());
        let (escapes, tail) = escapes.split_at(run.len() * ESCAPE_LEN);
        push_valid(&mut decoded, &run, escapes);
        rest = match tail.strip_prefix('%') {
            Some(after) if run.is_empty() => {
                decoded.push('%');
                after
            }
            _ => tail,
        };
    }
    decoded.push_str(rest);
    decoded
}

/// Writes `text`, and percent-encodes the characters for which `must_escape` returns `true`.
///
/// `must_escape` receives the byte offset of each character and the character.
pub(crate) fn encode(
    out: &mut impl fmt::Write,
    text: &str,
    must_escape: impl Fn(usize, char) -> bool,
) -> fmt::Result {
    for (at, character) in text.char_indices() {
        if must_escape(at, character) {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                write!(out, "%{byte:02X}")?;
            }
        } else {
            out.write_char(character)?;
        }
    }
    Ok(())
}

/// The length of `%` and two hexadecimal digits.
const ESCAPE_LEN: usize = 3;

/// Decodes the escape at the start of `bytes`, or returns `None` if there is none.
fn escape_at(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => byte_of(*high, *low),
        _ => None,
    }
}

fn byte_of(high: u8, low: u8) -> Option<u8> {
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Decodes the run of well-formed escapes at the start of `bytes`.
fn escape_run(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(ESCAPE_LEN).map_while(escape_at).collect()
}

/// Appends the valid UTF-8 in `bytes`, and for all other bytes their `escapes`.
fn push_valid(decoded: &mut String, bytes: &[u8], escapes: &str) {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        at += chunk.valid().len();
        let end = at + chunk.invalid().len();
        decoded.push_str(&escapes[at * ESCAPE_LEN..end * ESCAPE_LEN]);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_decoding() {
        let cases = [
            ("", Ok("")),
            ("plain", Ok("plain")),
            ("%41b%2fc", Ok("Ab/c")),
            ("a+b", Ok("a+b")),
            ("%2520", Ok("%20")),
            ("%c3%BC", Ok("ü")),
            ("%00", Ok("\0")),
            ("%", Err(DecodeError::MalformedEscape)),
            ("%2", Err(DecodeError::MalformedEscape)),
            ("%zz", Err(DecodeError::MalformedEscape)),
            ("%+1", Err(DecodeError::MalformedEscape)),
            ("%u0041", Err(DecodeError::MalformedEscape)),
            ("%FF", Err(DecodeError::InvalidUtf8)),
            ("%C3", Err(DecodeError::InvalidUtf8)),
            ("%ED%A0%80", Err(DecodeError::InvalidUtf8)),
            ("%C0%AF", Err(DecodeError::InvalidUtf8)),
        ];
        for (text, expected) in cases {
            assert_eq!(decode_strict(text), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn lenient_decoding() {
        let cases = [
            ("", ""),
            ("pct%20x", "pct x"),
            ("%5Funder", "_under"),
            ("100%", "100%"),
            ("%2", "%2"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("%2520", "%20"),
            ("%FF", "%FF"),
            ("%c3%bc%c3", "ü%c3"),
            ("a%C3x%C3%BC", "a%C3xü"),
            ("ü%", "ü%"),
            ("%é", "%é"),
        ];
        for (text, expected) in cases {
            assert_eq!(decode_lenient(text), expected, "{text}");
        }
    }

    #[test]
    fn encoding_escapes_every_byte_of_a_character() {
        let mut out = String::new();
        encode(&mut out, "aü/b", |at, character| {
            at > 0 && character != 'b'
        })
        .unwrap();
        assert_eq!(out, "a%C3%BC%2Fb");
    }
}
