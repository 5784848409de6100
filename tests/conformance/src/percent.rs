//! Strict decoding of percent-escapes in request targets (RFC 3986 section 2.1).

/// Decodes percent-escapes once, or returns `None` if a `%` is not followed by two hexadecimal digits.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let value = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        decoded.push(value(digits[0])? * 16 + value(digits[1])?);
        rest = after;
    }
    Some(decoded)
}

/// Percent-encodes every non-ASCII byte.
pub(crate) fn encode_non_ascii(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            encoded.push(c);
        } else {
            let mut bytes = [0; 4];
            encoded.extend(
                c.encode_utf8(&mut bytes)
                    .bytes()
                    .map(|byte| format!("%{byte:02X}")),
            );
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode(b"a%20%c3%BC+"), Some("a ü+".as_bytes().to_vec()));
        for bad in ["%", "%2", "%ZZ", "%u0041", "%+1"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn only_non_ascii_is_encoded() {
        assert_eq!(encode_non_ascii("/a b/é%20"), "/a b/%C3%A9%20");
    }
}
