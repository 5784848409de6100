//! Header values: written from text, and read as text.

use std::fmt;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Types that convert into a header value: text, and `HeaderValue` of the `http` crate.
///
/// Text is normalised by the [Fetch standard](https://fetch.spec.whatwg.org/#concept-header-value-normalize): white
/// space and line breaks at its ends are removed. Characters up to U+00FF are sent as UTF-8, as Next sends them.
pub trait IntoHeaderValue {
    /// Converts into a header value.
    ///
    /// # Errors
    ///
    /// If the text contains a control character, such as a line break or NUL, or a character beyond U+00FF.
    fn into_header_value(self) -> Result<HeaderValue, HeaderValueError>;
}

impl IntoHeaderValue for HeaderValue {
    fn into_header_value(self) -> Result<HeaderValue, HeaderValueError> {
        Ok(self)
    }
}

impl IntoHeaderValue for &HeaderValue {
    fn into_header_value(self) -> Result<HeaderValue, HeaderValueError> {
        Ok(self.clone())
    }
}

impl IntoHeaderValue for &str {
    fn into_header_value(self) -> Result<HeaderValue, HeaderValueError> {
        let text = self.trim_matches(['\t', '\n', '\r', ' ']);
        if let Some(wide) = text.chars().find(|c| *c > '\u{ff}') {
            let wide = u32::from(wide);
            let why = format!("a header can't hold U+{wide:04X}: percent-encode it");
            return Err(HeaderValueError(why));
        }
        HeaderValue::from_bytes(text.as_bytes())
            .map_err(|error| HeaderValueError(error.to_string()))
    }
}

impl IntoHeaderValue for String {
    fn into_header_value(self) -> Result<HeaderValue, HeaderValueError> {
        self.as_str().into_header_value()
    }
}

impl IntoHeaderValue for &String {
    fn into_header_value(self) -> Result<HeaderValue, HeaderValueError> {
        self.as_str().into_header_value()
    }
}

/// The reason why a text can't be a header value.
#[derive(Debug, Clone)]
pub struct HeaderValueError(String);

impl fmt::Display for HeaderValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HeaderValueError {}

/// Parses a header that a handler sets. The error names it.
pub(crate) fn parse_header(
    name: &str,
    value: impl IntoHeaderValue,
) -> Result<(HeaderName, HeaderValue), String> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|error| refused(name, &error))?;
    match value.into_header_value() {
        Ok(value) => Ok((parsed, value)),
        Err(error) => Err(refused(name, &error)),
    }
}

fn refused(name: &str, why: &dyn fmt::Display) -> String {
    format!("the header `{}`: {why}", name.escape_default())
}

/// Headers that occur only once. Of several lines the first counts, as in Node.
const SINGLE: [HeaderName; 18] = [
    header::AGE,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::ETAG,
    header::EXPIRES,
    header::FROM,
    header::HOST,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::MAX_FORWARDS,
    header::PROXY_AUTHORIZATION,
    header::REFERER,
    header::RETRY_AFTER,
    header::SERVER,
    header::USER_AGENT,
];

/// The text of each header that is not a single line of ASCII. All others are read from the header map directly.
pub(crate) struct HeaderTexts(Vec<(HeaderName, String)>);

impl HeaderTexts {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let odd = headers.keys().filter(|name| {
            let mut lines = headers.get_all(*name).iter();
            let first = lines.next();
            lines.next().is_some() || first.is_some_and(|line| !line.as_bytes().is_ascii())
        });
        Self(
            odd.map(|name| (name.clone(), text(headers, name)))
                .collect(),
        )
    }

    pub(crate) fn get<'h>(&'h self, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
        if let Some((_, text)) = self
            .0
            .iter()
            .find(|(odd, _)| odd.as_str().eq_ignore_ascii_case(name))
        {
            return Some(text);
        }
        std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut lines = headers
        .get_all(name)
        .iter()
        .map(|line| latin1(line.as_bytes()));
    if SINGLE.contains(name) {
        return lines.next().unwrap_or_default();
    }
    let separator = if *name == header::COOKIE { "; " } else { ", " };
    lines.collect::<Vec<_>>().join(separator)
}

/// Decodes Latin-1: each byte is the character with that number.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_read_as_latin1() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-test", "a"),
            ("x-test", "b"),
            ("referer", "one"),
            ("referer", "two"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("x-latin", "café"),
            ("x-plain", "p"),
        ] {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let texts = HeaderTexts::of(&headers);
        for (name, text) in [
            ("X-Test", "a, b"),
            ("referer", "one"),
            ("cookie", "a=1; b=2"),
            ("x-latin", "cafÃ©"),
            ("x-plain", "p"),
        ] {
            assert_eq!(texts.get(&headers, name), Some(text));
        }
        assert_eq!(texts.get(&headers, "x-none"), None);
    }

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
