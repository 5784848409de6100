//! The encoding of an entry and its body in a store.
//!
//! All numbers are little-endian. A text is its length, 4 bytes, and its bytes. A list is its length and its items.
//!
//! | part | form |
//! | --- | --- |
//! | magic and version | `WPC` and one byte |
//! | status | 2 bytes |
//! | revalidate, or 0 for never; expire | 8 bytes each, seconds |
//! | time of the run | 8 bytes, milliseconds since the Unix epoch |
//! | key | text |
//! | headers | list of two texts |
//! | tags | list of texts |
//! | epoch | 16 bytes |
//! | tokens | list of 32 bytes, soft and hard |
//! | body | list of texts |
//! | checksum | the first 16 bytes of the SHA-256 digest of all bytes before it |

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Entry;
use crate::key::{push_length, push_text};
use crate::names::is_token;
use crate::{Key, Life, Token, Tokens, token::TokenPair};

/// The first bytes of an encoded entry.
const MAGIC: &[u8; 3] = b"WPC";

/// The version of the encoding. Any change of the format increments it, and the entries of other versions are misses.
const VERSION: u8 = 1;

/// The length of the checksum, in bytes.
const CHECKSUM: usize = 16;

/// Why bytes are not an entry. For a cache each of them is a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The bytes were written by another version of Waypost.
    #[error("the cache entry has the version {0}, not {VERSION}")]
    Version(u8),
    /// The bytes are truncated or damaged, or never were an entry.
    #[error("the cache entry is damaged")]
    Damaged,
}

impl Entry {
    /// Encodes the entry and its body. The parts of the body keep their boundaries: they may be the chunks of one body, or
    /// the body in several content codings.
    pub fn to_bytes(&self, body: &[&[u8]]) -> Vec<u8> {
        let sizes = body.iter().map(|part| part.len());
        let mut out = Vec::with_capacity(sizes.fold(self.weight(0), usize::saturating_add));
        out.extend(MAGIC);
        out.push(VERSION);
        out.extend(self.status.to_le_bytes());
        let revalidate = self.life.revalidate().map_or(0, |time| time.as_secs());
        let made = u64::try_from(self.made.as_millis()).unwrap_or(u64::MAX);
        for number in [revalidate, self.life.expire().as_secs(), made] {
            out.extend(number.to_le_bytes());
        }
        push_text(&mut out, self.key.as_bytes());
        push_length(&mut out, self.headers.len());
        for (name, value) in &self.headers {
            push_text(&mut out, name.as_bytes());
            push_text(&mut out, value);
        }
        push_length(&mut out, self.tags.len());
        self.tags
            .iter()
            .for_each(|tag| push_text(&mut out, tag.as_bytes()));
        out.extend(self.tokens.epoch.0);
        push_length(&mut out, self.tokens.pairs.len());
        for pair in &self.tokens.pairs {
            out.extend(pair.soft.0);
            out.extend(pair.hard.0);
        }
        push_length(&mut out, body.len());
        body.iter().for_each(|part| push_text(&mut out, part));
        let checksum = checksum(&out);
        out.extend(checksum);
        out
    }

    /// Decodes an entry and its body. The parts of the body are slices of `bytes`.
    ///
    /// Nothing is allocated before the checksum was compared. After that, memory is in proportion to the input.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes are of another version, or are not exactly what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Self, Vec<&[u8]>), EntryError> {
        match bytes.strip_prefix(MAGIC) {
            Some([version, ..]) if *version != VERSION => Err(EntryError::Version(*version)),
            Some([_, ..]) => decode(bytes).ok_or(EntryError::Damaged),
            _ => Err(EntryError::Damaged),
        }
    }
}

fn decode(bytes: &[u8]) -> Option<(Entry, Vec<&[u8]>)> {
    let (content, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    if checksum(content) != sum {
        return None;
    }
    let mut reader = Reader(content.get(MAGIC.len() + 1..)?);
    let entry = decode_entry(&mut reader)?;
    let body = reader.list(Reader::text)?;
    reader.0.is_empty().then_some((entry, body))
}

fn decode_entry<'a>(reader: &mut Reader<'a>) -> Option<Entry> {
    let status = u16::from_le_bytes(reader.array()?);
    let (revalidate, expire) = (reader.number()?, reader.number()?);
    let revalidate = (revalidate != 0).then_some(Duration::from_secs(revalidate));
    let life = Life::new(revalidate, Some(Duration::from_secs(expire))).ok()?;
    let made = Duration::from_millis(reader.number()?);
    let key = Key::from_encoded(reader.text()?.to_vec());
    let headers = reader.list(header)?;
    let tags = reader.list(|reader| utf8(reader.text()?))?;
    let epoch = Token(reader.array()?);
    let pairs = reader.list(|reader: &mut Reader<'a>| {
        let soft = Token(reader.array()?);
        let hard = Token(reader.array()?);
        Some(TokenPair { soft, hard })
    })?;
    let tokens = Tokens { epoch, pairs };
    (200..600).contains(&status).then_some(Entry {
        key,
        status,
        headers,
        tags,
        tokens,
        life,
        made,
    })
}

/// Decodes a header. A name that is not a lowercase token, or a value with a line break, could inject a header.
fn header(reader: &mut Reader<'_>) -> Option<(String, Vec<u8>)> {
    let name = utf8(reader.text()?)?;
    let value = reader.text()?.to_vec();
    let is_valid = is_token(&name)
        && !name.bytes().any(|byte| byte.is_ascii_uppercase())
        && !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    is_valid.then_some((name, value))
}

fn utf8(text: &[u8]) -> Option<String> {
    std::str::from_utf8(text).ok().map(str::to_owned)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut sum = [0; CHECKSUM];
    sum.iter_mut()
        .zip(digest)
        .for_each(|(byte, digest)| *byte = digest);
    sum
}

/// The bytes that are left to decode. Every method returns `None` if there are too few.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).ok()
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    /// Decodes a list. Its length is not trusted: the list grows with each item that was decoded.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.length()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(item(self)?);
        }
        Some(items)
    }
}
