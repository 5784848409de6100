//! Header fields, whoever holds them.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of a request, as WASI hands them over.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The header fields of a request: a list on the side of WASI, a map on that of a native host.
///
/// Names are compared without regard to case.
pub trait Fields {
    /// Returns the values of a field, in the order in which they came.
    fn values<'f>(&'f self, name: &'f HeaderName) -> impl Iterator<Item = &'f [u8]>;

    /// Keeps the fields whose names, in lower case, pass.
    fn retain(&mut self, passes: impl Fn(&str) -> bool);

    /// Puts one value in the place of all that a field has. What can't stand in a header is left out.
    fn set(&mut self, name: &HeaderName, value: String);

    /// Returns the first value of a field, if that is text.
    fn text<'f>(&'f self, name: &'f HeaderName) -> Option<&'f str> {
        let value = self.values(name).next()?;
        std::str::from_utf8(value).ok()
    }
}

/// A name in lower case, as hosts give it mostly.
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
