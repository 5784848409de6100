//! Splits the bytes of an input into fields.

use waypost::http::{HeaderName, HeaderValue};

/// The separator between two fields, a byte that never occurs in UTF-8.
const SEPARATOR: u8 = 0xFF;

/// The fields of an input. After the last one, further fields are empty.
pub(crate) struct Fields<'a>(std::slice::Split<'a, u8, fn(&u8) -> bool>);

impl<'a> Fields<'a> {
    pub(crate) fn of(data: &'a [u8]) -> Self {
        Self(data.split(|byte| *byte == SEPARATOR))
    }

    /// Takes the next field.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        self.0.next().unwrap_or_default()
    }

    /// Takes the next field as text, or an empty text if it is not UTF-8.
    pub(crate) fn text(&mut self) -> &'a str {
        str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// Takes the remaining fields as texts.
    pub(crate) fn texts(self) -> impl Iterator<Item = &'a str> {
        self.0.filter_map(|field| str::from_utf8(field).ok())
    }

    /// Takes the remaining fields as headers of the form `name: value`. Invalid ones are dropped, as a host drops them.
    pub(crate) fn headers(self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        self.0.filter_map(|field| {
            let colon = field.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&field[..colon]).ok()?;
            let value = field[colon + 1..].trim_ascii();
            Some((name, HeaderValue::from_bytes(value).ok()?))
        })
    }
}

/// Groups texts into pairs. A last single text is dropped.
pub(crate) fn pairs<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(&'a str, &'a str)> {
    let texts: Vec<_> = texts.collect();
    let (pairs, _) = texts.as_chunks();
    pairs.iter().map(|[one, other]| (*one, *other)).collect()
}
