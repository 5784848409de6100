//! [`CodeCache`]: the compiled code of components, kept in a folder of the user's own.
//!
//! An entry is native code, and the host runs it. So an entry is loaded only if its keyed digest shows that this
//! user's cache wrote it, for the same component and the same engine. The key is a file of the folder, which no
//! other user may change. Any other entry counts as missing: its component is compiled again, and the entry replaced.

mod entry;
mod folder;
mod key;
mod size;
#[cfg(test)]
mod tests;

use crate::engine::content::ContentDigest;
use entry::EntryName;
use key::Key;
use size::Size;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use wasmtime::Engine;
use wasmtime::component::Component;
use waypost_config::read_file;

pub use folder::CodeCacheError;

/// How much compiled code is kept unless an option says otherwise: some thousands of routes written in Rust.
pub const DEFAULT_CODE_CACHE_SIZE: u64 = 4 << 30;

/// Largest entry that is read. The code of a component is a few times as large as the component.
const MAX_ENTRY: u64 = 2 << 30;

/// How exactly the last use of an entry is recorded.
const USE_PRECISION: Duration = Duration::from_secs(60 * 60);

/// A folder of compiled code, or none: then each start compiles anew.
///
/// Clones share one folder and one key.
#[derive(Clone, Debug)]
pub struct CodeCache(Option<Arc<Store>>);

#[derive(Debug)]
struct Store {
    folder: PathBuf,
    key: Key,
    size: Size,
}

impl CodeCache {
    /// Returns a cache that keeps nothing.
    pub fn disabled() -> Self {
        Self(None)
    }

    /// Opens the cache in `folder`, which is created for this user alone if it is missing. It keeps about
    /// `max_bytes` of code: entries that were not used for longest are removed.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be created or written, or if another user owns it or could change it.
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self, CodeCacheError> {
        let folder = folder::open(folder)?;
        let key = Key::read_or_create(&folder)?;
        let size = Size::new(max_bytes);
        Ok(Self(Some(Arc::new(Store { folder, key, size }))))
    }

    /// Returns the user's folder for compiled code: `$XDG_CACHE_HOME/waypost`, else `.cache/waypost` in the home
    /// folder, or `None` if the user has no home folder.
    pub fn user_folder() -> Option<PathBuf> {
        folder::of_user(std::env::var_os("XDG_CACHE_HOME"), std::env::home_dir())
    }

    /// Returns whether code is kept at all.
    pub fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// Returns a compiled component, or `None` if the cache has no entry for this component and engine that passes
    /// its check.
    pub(crate) fn find(&self, engine: &Engine, digest: &ContentDigest) -> Option<Component> {
        let store = self.0.as_ref()?;
        store.read(engine, &EntryName::new(engine, digest))
    }

    /// Compiles a component and keeps the code. Blocks for as long as the compiler takes.
    ///
    /// # Errors
    ///
    /// Returns the compiler's error. Code that cannot be kept is not an error, and is logged.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        wasm: &[u8],
        digest: &ContentDigest,
    ) -> wasmtime::Result<Component> {
        let component = Component::from_binary(engine, wasm)?;
        if let Some(store) = &self.0
            && let Err(error) = store.write(&EntryName::new(engine, digest), &component)
        {
            let folder = store.folder.display();
            tracing::warn!("compiled code is not kept in `{folder}`: {error:#}");
        }
        Ok(component)
    }
}

impl Store {
    fn read(&self, engine: &Engine, name: &EntryName) -> Option<Component> {
        let file = self.folder.join(name.file_name());
        let bytes = match read_file(&file, MAX_ENTRY) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::warn!("compiled code `{}` cannot be read: {error}", file.display());
                }
                return None;
            }
        };
        let Some(code) = entry::verify(&self.key, name, &bytes) else {
            tracing::warn!(
                "compiled code `{}` is damaged or foreign; the component is compiled again",
                file.display()
            );
            return None;
        };
        let component = code.load(engine)?;
        record_use(&file);
        Some(component)
    }

    fn write(&self, name: &EntryName, component: &Component) -> wasmtime::Result<()> {
        let code = component.serialize()?;
        let tag = entry::tag(&self.key, name, &code);
        let mut file = size::new_file(&self.folder)?;
        file.write_all(&tag)?;
        file.write_all(&code)?;
        file.persist(self.folder.join(name.file_name()))?;
        self.size.grew(&self.folder, code.len());
        Ok(())
    }
}

/// Marks an entry as used, so that it stays longer than others. A cache that cannot be written serves as it is.
fn record_use(file: &Path) {
    let now = SystemTime::now();
    let is_recent = std::fs::metadata(file)
        .and_then(|about| about.modified())
        .is_ok_and(|used| {
            now.duration_since(used)
                .is_ok_and(|age| age < USE_PRECISION)
        });
    if !is_recent {
        let _ = std::fs::File::open(file).and_then(|file| file.set_modified(now));
    }
}
