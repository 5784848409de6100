//! Percent-escapes ([RFC 3986 section 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)) in queries and in
//! internal headers.

/// The upper-case hexadecimal digits, which RFC 3986 recommends in escapes.
const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Appends bytes. All but unreserved characters (RFC 3986 section 2.3) and those in `also` are escaped.
pub(crate) fn encode(out: &mut String, bytes: &[u8], also: &[u8]) {
    for byte in bytes {
        let is_plain =
            byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || also.contains(byte);
        if is_plain {
            out.push(char::from(*byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
            out.push('%');
            out.extend(digits.map(char::from));
        }
    }
}

/// Decodes a name or value of a query as the [URL Standard](https://url.spec.whatwg.org/#urlencoded-parsing) does: `+`
/// is a space, and a malformed escape stays as it is. The result need not be UTF-8.
pub(crate) fn decode_query(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, escaped(tail)) {
            (b'%', Some((byte, tail))) => {
                decoded.push(byte);
                rest = tail;
            }
            (b'+', _) => decoded.push(b' '),
            (other, _) => decoded.push(*other),
        }
    }
    decoded
}

/// Decodes a text from [`encode`]. Returns `None` for a malformed escape and for anything that is not UTF-8.
pub(crate) fn decode_strict(text: &str) -> Option<String> {
    String::from_utf8(decode_bytes(text)?).ok()
}

/// Decodes bytes from [`encode`]. Returns `None` for a malformed escape.
pub(crate) fn decode_bytes(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let (byte, tail) = escaped(tail)?;
            decoded.push(byte);
            rest = tail;
        } else {
            decoded.push(*first);
        }
    }
    Some(decoded)
}

/// Parses the two digits after a `%`. Returns the byte and what follows.
fn escaped(digits: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = digits else {
        return None;
    };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_decode_leniently() {
        for (text, expected) in [
            ("a+b", "a b"),
            ("%61%2B", "a+"),
            ("%c3%bc", "ü"),
            ("%", "%"),
            ("%2", "%2"),
            ("%ZZ%4", "%ZZ%4"),
            ("%%41", "%A"),
            ("", ""),
        ] {
            assert_eq!(decode_query(text), expected.as_bytes(), "{text}");
        }
        assert_eq!(decode_query("%FF"), [0xFF]);
    }

    #[test]
    fn internal_texts_decode_strictly() {
        for (text, expected) in [
            ("a%2Cb", Some("a,b")),
            ("+", Some("+")),
            ("%c3%BC", Some("ü")),
            ("%", None),
            ("%2", None),
            ("%ZZ", None),
            ("%FF", None),
        ] {
            assert_eq!(decode_strict(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn encoding_escapes_all_but_unreserved_characters() {
        let mut out = String::new();
        encode(&mut out, "a-Z_0.~/ü,\n%".as_bytes(), b"/");
        assert_eq!(out, "a-Z_0.~/%C3%BC%2C%0A%25");
        assert_eq!(decode_strict(&out).unwrap(), "a-Z_0.~/ü,\n%");
    }
}
