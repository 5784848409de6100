//! [`Fields`]: one interface for the header fields of WASI and of a native host.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of a request in the form that WASI uses.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The header fields of a request: a list in WASI, a map on a native host.
///
/// Names are case-insensitive.
pub trait Fields {
    /// Returns the values of a field, in the order in which they were sent.
    fn values<'f>(&'f self, name: &'f HeaderName) -> impl Iterator<Item = &'f [u8]>;

    /// Keeps the fields for whose lowercase name `passes` returns `true`.
    fn retain(&mut self, passes: impl Fn(&str) -> bool);

    /// Replaces all values of a field with one. A value that is not valid in a header only removes the field.
    fn set(&mut self, name: &HeaderName, value: String);

    /// Returns the first value of a field, or `None` if there is none or it is not UTF-8.
    fn text<'f>(&'f self, name: &'f HeaderName) -> Option<&'f str> {
        let value = self.values(name).next()?;
        std::str::from_utf8(value).ok()
    }
}

/// Returns a name in lower case. Most hosts already send lowercase names, so this rarely copies.
pub(crate) fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => name.to_ascii_lowercase().into(),
        false => name.into(),
    }
}

impl Fields for Headers {
    fn values<'f>(&'f self, name: &'f HeaderName) -> impl Iterator<Item = &'f [u8]> {
        let same = |(known, _): &&(String, Vec<u8>)| known.eq_ignore_ascii_case(name.as_str());
        self.iter().filter(same).map(|(_, value)| value.as_slice())
    }

    fn retain(&mut self, passes: impl Fn(&str) -> bool) {
        Vec::retain(self, |(name, _)| passes(&lower(name)));
    }

    fn set(&mut self, name: &HeaderName, value: String) {
        Vec::retain(self, |(known, _)| {
            !known.eq_ignore_ascii_case(name.as_str())
        });
        self.push((name.to_string(), value.into_bytes()));
    }
}

impl Fields for HeaderMap {
    fn values<'f>(&'f self, name: &'f HeaderName) -> impl Iterator<Item = &'f [u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }

    fn retain(&mut self, passes: impl Fn(&str) -> bool) {
        let refused = self.keys().filter(|name| !passes(name.as_str()));
        for name in refused.cloned().collect::<Vec<_>>() {
            self.remove(name);
        }
    }

    fn set(&mut self, name: &HeaderName, value: String) {
        match HeaderValue::try_from(value) {
            Ok(value) => self.insert(name, value),
            Err(_) => self.remove(name),
        };
    }
}
