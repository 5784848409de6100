//! The text of cookies: percent-encoding, and the characters that names and attributes may contain.

use std::borrow::Cow;

/// Returns whether a text is a token (RFC 9110 section 5.6.2), as RFC 6265 requires of a cookie's name.
pub(super) fn is_token(text: &str) -> bool {
    let symbol = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}

/// Returns whether a text is valid as the value of an attribute (RFC 6265 section 4.1.1): no control character, no
/// `;`.
pub(super) fn is_attribute(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
}

/// Percent-decodes once, or returns `None` if an escape is malformed or the result is not UTF-8.
pub(super) fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = tail else {
            return None;
        };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// Encodes like `encodeURIComponent` of ECMAScript.
pub(super) fn encode(value: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    if value.bytes().all(plain) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        match plain(byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        for value in [
            "",
            "a",
            "x y;z,w",
            "\"q\"",
            "100%",
            "é✓",
            "a\r\nb",
            "!#$&'()*+-./",
        ] {
            assert_eq!(decode(&encode(value)).as_deref(), Some(value));
        }
        for malformed in ["%", "%2", "%ZZ", "%FF", "a%C3"] {
            assert_eq!(decode(malformed), None, "{malformed}");
        }
    }
}
