//! The values of headers, out of text.

use http::HeaderValue;

/// What a header's value can be made of: text, or a `HeaderValue` of the `http` crate.
///
/// Text is normalised as the [Fetch standard](https://fetch.spec.whatwg.org/#concept-header-value-normalize)
/// says: white space and line breaks at its ends are left out. Characters up to U+00FF go out as UTF-8,
/// as with Next.
pub trait IntoHeaderValue {
    /// Makes the value.
    ///
    /// # Errors
    ///
    /// Where the text holds a control character, a line break or NUL among them, or a character
    /// beyond U+00FF.
    fn into_header_value(self) -> Result<HeaderValue, anyhow::Error>;
}

impl IntoHeaderValue for HeaderValue {
    fn into_header_value(self) -> Result<HeaderValue, anyhow::Error> {
        Ok(self)
    }
}

impl IntoHeaderValue for &HeaderValue {
    fn into_header_value(self) -> Result<HeaderValue, anyhow::Error> {
        Ok(self.clone())
    }
}

impl IntoHeaderValue for &str {
    fn into_header_value(self) -> Result<HeaderValue, anyhow::Error> {
        let text = self.trim_matches(['\t', '\n', '\r', ' ']);
        if let Some(wide) = text.chars().find(|c| *c > '\u{ff}') {
            anyhow::bail!("a header can't hold {wide:?}: percent-encode it");
        }
        Ok(HeaderValue::from_bytes(text.as_bytes())?)
    }
}

impl IntoHeaderValue for String {
    fn into_header_value(self) -> Result<HeaderValue, anyhow::Error> {
        self.as_str().into_header_value()
    }
}

impl IntoHeaderValue for &String {
    fn into_header_value(self) -> Result<HeaderValue, anyhow::Error> {
        self.as_str().into_header_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_normalised() {
        for (text, value) in [
            ("  padded \t", "padded"),
            ("", ""),
            ("\r\nSet-Cookie: x=1", "Set-Cookie: x=1"),
            ("café", "café"),
            ("a\tb", "a\tb"),
        ] {
            assert_eq!(
                text.into_header_value().unwrap().as_bytes(),
                value.as_bytes()
            );
        }
        for refused in ["a\r\nb: c", "a\0", "\u{7f}", "✓"] {
            assert!(refused.into_header_value().is_err(), "{refused:?}");
        }
    }
}
