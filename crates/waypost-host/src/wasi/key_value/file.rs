//! The file of the stores: its owner alone reads it, and its length has a bound.

use redb::{BackendError, StorageBackend, backends::FileBackend};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Mode of what only its owner may read and write.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;

/// Creates a folder, and those above it, for its owner alone. One that is there already stays as it is.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, PRIVATE_FOLDER);
    builder.create(folder)
}

/// Opens a file for reading and writing, and creates it if it is missing. It becomes its owner's alone.
pub(super) fn open_private(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE_FILE);
    let opened = options.open(file)?;
    #[cfg(unix)]
    narrow(&opened, file);
    Ok(opened)
}

/// Takes the rights of others from a file that was made by an earlier version.
#[cfg(unix)]
fn narrow(opened: &File, file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(mut permissions) = opened.metadata().map(|file| file.permissions()) else {
        return;
    };
    if permissions.mode() & 0o077 == 0 {
        return;
    }
    permissions.set_mode(PRIVATE_FILE);
    if let Err(error) = opened.set_permissions(permissions) {
        tracing::warn!(file = %file.display(), %error, "others may read this file");
    }
}

/// How long the file is, and how long it may become.
#[derive(Debug, Default)]
pub(super) struct Length {
    pub(super) now: AtomicU64,
    pub(super) most: AtomicU64,
}

/// Why a file does not grow.
#[derive(Debug, thiserror::Error)]
#[error("the file of the stores may not be longer")]
pub(super) struct TooLong;

/// A file that does not grow beyond its bound.
#[derive(Debug)]
pub(super) struct BoundedFile {
    inner: Box<dyn StorageBackend>,
    length: Arc<Length>,
}

impl BoundedFile {
    /// Bounds a storage; `length` is kept in step with it.
    pub(super) fn new(inner: Box<dyn StorageBackend>, length: &Arc<Length>) -> io::Result<Self> {
        length.now.store(inner.len()?, Ordering::Relaxed);
        Ok(Self {
            inner,
            length: Arc::clone(length),
        })
    }
}

/// Opens the file on disk.
pub(super) fn open(file: &Path) -> io::Result<Box<dyn StorageBackend>> {
    if let Some(folder) = file.parent() {
        create_folder(folder)?;
    }
    let backend = FileBackend::new(open_private(file)?).map_err(io::Error::other)?;
    Ok(Box::new(backend))
}

impl StorageBackend for BoundedFile {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let grows = len > self.length.now.load(Ordering::Relaxed);
        if grows && len > self.length.most.load(Ordering::Relaxed) {
            return Err(io::Error::other(TooLong));
        }
        self.inner.set_len(len)?;
        self.length.now.store(len, Ordering::Relaxed);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
