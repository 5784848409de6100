//! [`KeyParts`]: what a key says, for people.

use super::{ABSENT, Key, PRESENT, VERSION};
use crate::escape;

/// The parts of a [`Key`], for those who operate a cache. The values of request headers are left out, because some are secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyParts {
    /// `http` or `https`.
    pub scheme: String,
    /// The host, and the port unless it is the default one.
    pub authority: String,
    /// The id of the component.
    pub component: String,
    /// The path in the form of [`Subject::path`](crate::Subject::path).
    pub path: String,
    /// The declared query parameters, or nothing.
    pub query: String,
    /// The names of the declared request headers that the request has.
    pub headers: Vec<String>,
}

/// The characters of a segment besides unreserved ones that are not escaped
/// ([RFC 3986 section 3.3](https://www.rfc-editor.org/rfc/rfc3986#section-3.3)).
const SEGMENT_CHARACTERS: &[u8] = b"!$&'()*+,;=:@";

/// The characters of a query's names and values besides unreserved ones that are not escaped.
const QUERY_CHARACTERS: &[u8] = b"!$'()*,;:@/?";

impl KeyParts {
    /// Reads the parts of a key, or returns `None` if it is not one of [`Key::new`].
    pub fn of(key: &Key) -> Option<Self> {
        let mut rest = Rest(key.as_bytes());
        if rest.byte()? != VERSION {
            return None;
        }
        let [scheme, authority, component] = [rest.string()?, rest.string()?, rest.string()?];
        // The digest.
        rest.text()?;
        let mut path = String::new();
        while rest.is_present()? {
            path.push('/');
            escape::encode(&mut path, rest.text()?, SEGMENT_CHARACTERS);
        }
        if path.is_empty() {
            path.push('/');
        }
        let mut query = String::new();
        while rest.is_present()? {
            if !query.is_empty() {
                query.push('&');
            }
            escape::encode(&mut query, rest.text()?, QUERY_CHARACTERS);
            query.push('=');
            escape::encode(&mut query, rest.text()?, QUERY_CHARACTERS);
        }
        let mut headers = Vec::new();
        while !rest.0.is_empty() {
            let name = rest.string()?;
            if rest.is_present()? {
                rest.text()?;
                headers.push(name);
            }
        }
        Some(Self {
            scheme,
            authority,
            component,
            path,
            query,
            headers,
        })
    }
}

/// What is left of an encoded key.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Reads the mark before a part that may be missing.
    fn is_present(&mut self) -> Option<bool> {
        match self.byte()? {
            PRESENT => Some(true),
            ABSENT => Some(false),
            _ => None,
        }
    }

    /// Reads a text after its length.
    fn text(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (text, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    fn string(&mut self) -> Option<String> {
        Some(String::from_utf8_lossy(self.text()?).into_owned())
    }
}
