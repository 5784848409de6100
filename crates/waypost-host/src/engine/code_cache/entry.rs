//! One entry of the code cache: a keyed digest, then what Wasmtime made of a component.
//!
//! The digest covers the engine, the component and all of the code, so that an entry holds for nothing else.

use super::key::{Key, TAG};
use crate::engine::content::ContentDigest;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::hash::{Hash as _, Hasher};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What the digests of entries begin with; another layout of entries gets another text.
const DOMAIN: &[u8] = b"waypost compiled code, 1\n";

/// Ends the file name of an entry.
pub(super) const EXTENSION: &str = ".code";

/// The name of an entry: the component that it holds the code of, and the engine that the code is for.
pub(super) struct EntryName {
    engine: [u8; 32],
    component: ContentDigest,
}

impl EntryName {
    /// Names the entry of a component on an engine.
    ///
    /// Engines with one name differ in nothing that matters to compiled code: Wasmtime hashes its version, the
    /// compiler's settings and the processor's features.
    pub(super) fn new(engine: &Engine, component: &ContentDigest) -> Self {
        let mut hasher = ByteHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self {
            engine: hasher.0.finalize().into(),
            component: *component,
        }
    }

    /// Returns the name of the file that holds the entry.
    pub(super) fn file_name(&self) -> String {
        let digest = Sha256::new()
            .chain_update(self.engine)
            .chain_update(self.component.as_bytes())
            .finalize();
        let mut name = String::with_capacity(2 * digest.len() + EXTENSION.len());
        for byte in digest {
            // Writing to a string does not fail.
            let _ = write!(name, "{byte:02x}");
        }
        name + EXTENSION
    }
}

/// Computes the digest that an entry begins with.
pub(super) fn tag(key: &Key, name: &EntryName, code: &[u8]) -> [u8; TAG] {
    key.tag(&[DOMAIN, &name.engine, name.component.as_bytes(), code])
}

/// Returns the code of an entry, or `None` if this cache did not write these bytes under this name.
pub(super) fn verify<'a>(key: &Key, name: &EntryName, entry: &'a [u8]) -> Option<Verified<'a>> {
    let (tag, code) = entry.split_at_checked(TAG)?;
    let parts = [DOMAIN, &name.engine, name.component.as_bytes(), code];
    key.verifies(&parts, tag).then_some(Verified(code))
}

/// Compiled code that passed the check. Only [`verify`] makes it.
pub(super) struct Verified<'a>(&'a [u8]);

impl Verified<'_> {
    /// Loads the code, or returns `None` if Wasmtime refuses it for this engine.
    #[expect(
        unsafe_code,
        reason = "Wasmtime trusts compiled code, so the caller has to vouch for it"
    )]
    pub(super) fn load(&self, engine: &Engine) -> Option<Component> {
        // SAFETY: the bytes have to be what `Component::serialize` returned, unmodified. They are: only `verify`
        // makes a `Verified`, after it checked the keyed digest of these very bytes in memory; the key is known to
        // this user alone; and `tag` is computed with it nowhere but in `Store::write`, of what `serialize` returned.
        unsafe { Component::deserialize(engine, self.0) }.ok()
    }
}

/// Feeds what is hashed to SHA-256.
struct ByteHasher(Sha256);

impl Hasher for ByteHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Never asked: the digest is taken from the field.
    fn finish(&self) -> u64 {
        0
    }
}
