//! [`Key`]: the identity of an entry.

#[cfg(feature = "store")]
mod parts;

#[cfg(feature = "store")]
use std::num::NonZeroU32;

#[cfg(feature = "store")]
use sha2::{Digest as _, Sha256};
use waypost_routing::Path;

#[cfg(feature = "store")]
pub use parts::KeyParts;

use crate::request::{canonical_authority, declared_pairs};
use crate::{Policy, Request, Unstorable};

/// The identity of an entry: the origin, the route, the component, the path, and the declared query parameters and headers.
///
/// Each part is written with its length, so no value that a client chooses can be taken for another part. Keys are equal
/// exactly if the handler can't tell the requests apart (see [`Sealed`](crate::Sealed)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    bytes: Vec<u8>,
}

/// The route of a request and the component that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteId<'a> {
    /// The id of the component, such as `blog-slug`.
    pub id: &'a str,
    /// The digest of the component, so that a new build does not serve responses of the old one.
    pub digest: &'a [u8],
}

/// The version of the encoding, the first byte of every key.
const VERSION: u8 = 1;

/// The first byte of every key of the data cache. No response has such a key.
#[cfg(feature = "store")]
const DATA_VERSION: u8 = 0x81;

/// The largest length of a path in the cache, in bytes of its decoded segments and their slashes. Next accepts paths of
/// 1,024 characters for `revalidatePath`.
pub const MAX_PATH: usize = 1024;

/// The largest number of segments of a path in the cache, because an entry depends on a token for each ancestor.
pub const MAX_DEPTH: usize = 32;

/// The largest length of the declared names and values of a query in a key, in decoded bytes.
pub const MAX_QUERY: usize = 2048;

/// The largest length of the declared header values in a key, in bytes.
pub const MAX_HEADERS: usize = 2048;

impl Key {
    /// Computes the key of a request. GET and HEAD have the same key.
    ///
    /// # Errors
    ///
    /// Returns an error if the request can't be answered from the cache: other methods, and paths, queries or headers
    /// beyond [`MAX_PATH`], [`MAX_DEPTH`], [`MAX_QUERY`] and [`MAX_HEADERS`]. The handler then runs for this request.
    pub fn new(
        request: &Request<'_>,
        route: &RouteId<'_>,
        policy: &Policy,
    ) -> Result<Self, Unstorable> {
        if !matches!(request.method, "GET" | "HEAD") {
            return Err(Unstorable::Method);
        }
        // Most keys fit, so that the list does not grow.
        let mut bytes = Vec::with_capacity(256);
        bytes.push(VERSION);
        push_text(&mut bytes, request.scheme.to_ascii_lowercase().as_bytes());
        let authority = canonical_authority(request.scheme, request.authority);
        push_text(&mut bytes, authority.as_bytes());
        push_text(&mut bytes, route.id.as_bytes());
        push_text(&mut bytes, route.digest);
        check_path(request.path)?;
        push_path(&mut bytes, request.path);
        push_query(&mut bytes, request, policy)?;
        push_headers(&mut bytes, request, policy)?;
        Ok(Self { bytes })
    }

    /// Computes the key of a value in the data cache of a component. It is a digest, so its length is bounded whatever the
    /// component chose.
    #[cfg(feature = "store")]
    pub fn of_data(route: &RouteId<'_>, key: &[u8]) -> Self {
        let mut parts = Vec::with_capacity(route.id.len() + route.digest.len() + key.len() + 16);
        push_text(&mut parts, route.id.as_bytes());
        push_text(&mut parts, route.digest);
        push_text(&mut parts, key);
        let mut bytes = vec![DATA_VERSION];
        bytes.extend(Sha256::digest(&parts));
        Self { bytes }
    }

    /// Returns the encoded key. An entry contains it, so that two keys with the same slot can be told apart.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the key that a stored entry contains. It is only compared, so any bytes are allowed.
    #[cfg(feature = "store")]
    pub(crate) fn from_encoded(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Computes the SHA-256 digest of the key, a name for stores that limit the length of names.
    #[cfg(feature = "store")]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// Computes the slot of the key in a store with a fixed number of slots. Several keys may have the same slot.
    #[cfg(feature = "store")]
    pub fn slot(&self, slots: NonZeroU32) -> u32 {
        slot(&self.digest(), slots)
    }
}

/// Reduces a digest to a slot.
#[cfg(feature = "store")]
pub(crate) fn slot(digest: &[u8; 32], slots: NonZeroU32) -> u32 {
    let [a, b, c, d, ..] = *digest;
    u32::from_be_bytes([a, b, c, d]) % slots
}

/// Appends a text with its length, 4 bytes in little-endian order.
pub(crate) fn push_text(bytes: &mut Vec<u8>, part: &[u8]) {
    push_length(bytes, part.len());
    bytes.extend(part);
}

/// Appends a length. A request's head, and the entry of any store, is far below 4 GiB; a longer one does not decode.
pub(crate) fn push_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

/// Checks that a path is not beyond [`MAX_PATH`] and [`MAX_DEPTH`].
pub(crate) fn check_path(path: &Path) -> Result<(), Unstorable> {
    let length: usize = path.segments().map(|segment| segment.len() + 1).sum();
    if path.segments().len() > MAX_DEPTH {
        Err(Unstorable::PathTooDeep)
    } else if length > MAX_PATH {
        Err(Unstorable::PathTooLong)
    } else {
        Ok(())
    }
}

fn push_path(bytes: &mut Vec<u8>, path: &Path) {
    for segment in path.segments() {
        bytes.push(PRESENT);
        push_text(bytes, segment.as_bytes());
    }
    bytes.push(ABSENT);
}

fn push_query(
    bytes: &mut Vec<u8>,
    request: &Request<'_>,
    policy: &Policy,
) -> Result<(), Unstorable> {
    let pairs = declared_pairs(request.query, policy.query());
    let sizes = pairs.iter().map(|(name, value)| name.len() + value.len());
    if sizes.sum::<usize>() > MAX_QUERY {
        return Err(Unstorable::QueryTooLong);
    }
    for (name, value) in &pairs {
        bytes.push(PRESENT);
        push_text(bytes, name);
        push_text(bytes, value);
    }
    bytes.push(ABSENT);
    Ok(())
}

/// Precedes a part that may be missing.
const PRESENT: u8 = 1;

/// Stands for a part that is missing, and ends a list.
const ABSENT: u8 = 0;

fn push_headers(
    bytes: &mut Vec<u8>,
    request: &Request<'_>,
    policy: &Policy,
) -> Result<(), Unstorable> {
    let mut left = MAX_HEADERS;
    for name in policy.vary() {
        push_text(bytes, name.as_bytes());
        match (request.header)(name) {
            None => bytes.push(ABSENT),
            Some(value) => {
                let value = value.trim_ascii();
                left = left
                    .checked_sub(value.len())
                    .ok_or(Unstorable::HeadersTooLong)?;
                bytes.push(PRESENT);
                push_text(bytes, value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
