//! The secret that the entries of a code cache are signed with: a file that only this user can read.

use super::folder::CodeCacheError;
use super::size;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::fs::Metadata;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Name of the file in the cache folder.
const FILE: &str = "key";

/// Length of the key, in bytes.
const KEY: usize = 32;

/// Length of a block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// Length of a keyed digest, in bytes.
pub(super) const TAG: usize = 32;

/// The key of a code cache.
pub(super) struct Key([u8; KEY]);

impl Key {
    /// Reads the key of a folder, or creates one if there is none that only this user knows. Entries of another key
    /// are worthless then, and are replaced one by one.
    ///
    /// # Errors
    ///
    /// Returns an error if the file can be neither read nor written.
    pub(super) fn read_or_create(folder: &Path) -> Result<Self, CodeCacheError> {
        let fail = |error: io::Error| CodeCacheError::unusable(&folder.join(FILE), &error);
        match read(folder).map_err(fail)? {
            Found::Key(key) => Ok(key),
            Found::Nothing => create(folder).map_err(fail),
            Found::Unfit => replace(folder).map_err(fail),
        }
    }

    /// Computes the HMAC-SHA-256 of these parts, one after the other.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> [u8; TAG] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Returns whether the digest is that of these parts, in constant time.
    pub(super) fn verifies(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.mac(parts).verify_slice(tag).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // HMAC pads a key with zeros to the block of its hash (RFC 2104, section 2).
        let mut block = [0; BLOCK];
        block[..KEY].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// Shows nothing of the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

enum Found {
    Key(Key),
    Nothing,
    /// A key that others may know, or no key.
    Unfit,
}

fn read(folder: &Path) -> io::Result<Found> {
    let file = folder.join(FILE);
    let about = match file.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        about => about?,
    };
    if !about.is_file() || about.len() != KEY as u64 || !is_private(&about) {
        return Ok(Found::Unfit);
    }
    let bytes = waypost_config::read_file(&file, KEY as u64)?;
    Ok(match bytes.try_into() {
        Ok(key) => Found::Key(Key(key)),
        Err(_) => Found::Unfit,
    })
}

#[cfg(unix)]
fn is_private(about: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_about: &Metadata) -> bool {
    true
}

/// Creates the key. Of two hosts that start at once, both take the one that came first.
fn create(folder: &Path) -> io::Result<Key> {
    let (file, key) = new_key(folder)?;
    match file.persist_noclobber(folder.join(FILE)) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => match read(folder)? {
            Found::Key(key) => Ok(key),
            Found::Nothing | Found::Unfit => replace(folder),
        },
        Err(error) => Err(error.error),
    }
}

fn replace(folder: &Path) -> io::Result<Key> {
    let (file, key) = new_key(folder)?;
    file.persist(folder.join(FILE))?;
    Ok(key)
}

fn new_key(folder: &Path) -> io::Result<(tempfile::NamedTempFile, Key)> {
    let mut key = [0; KEY];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = size::new_file(folder)?;
    file.write_all(&key)?;
    Ok((file, Key(key)))
}
