//! All stores of an app, and the state folder that they are in.

use super::calls::Turn;
use super::disk::Disk;
use super::lock::{FolderLock, Locking};
use super::memory::Memory;
use super::{Backend, KeyValueStorage, Report};
use redb::{DatabaseError, StorageError};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use waypost_config::settings::StoreLimits;

/// Name of the file in the state folder.
const FILE: &str = "key_value.redb";

/// How often a folder is looked at that another host holds.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why stores cannot be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// Another host, of the process `holder`, uses the folder.
    InUse {
        folder: PathBuf,
        holder: Option<u32>,
    },
    /// The folder cannot be created or locked.
    Folder { folder: PathBuf, reason: String },
    /// The file cannot be used.
    File { file: PathBuf, reason: String },
}

/// The key-value stores of an app, for one host after another.
///
/// Clones share the stores. Stores on disk hold their state folder until the last clone is dropped: no other process
/// can open them meanwhile.
#[derive(Clone)]
pub struct Stores {
    pub(super) backend: Arc<dyn Backend>,
    pub(crate) limits: Arc<StoreLimits>,
    pub(super) turn: Turn,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Stores {
    /// Opens the stores of an app. If another host holds the state folder, it waits for it as long as `patience`.
    ///
    /// # Errors
    ///
    /// If the folder is still held then, or the file cannot be used. A disk that is full is no error: it may have
    /// room again later.
    pub(crate) fn open(
        storage: &KeyValueStorage,
        state_dir: &Path,
        limits: &StoreLimits,
        patience: Duration,
    ) -> Result<Self, OpenError> {
        Ok(match storage {
            KeyValueStorage::Disk => Self::of(on_disk(state_dir, limits, patience)?, limits),
            KeyValueStorage::Memory => Self::of(Memory::default(), limits),
        })
    }

    /// Returns stores that nobody uses.
    pub(crate) fn unused(limits: &StoreLimits) -> Self {
        Self::of(Memory::default(), limits)
    }

    pub(super) fn of(backend: impl Backend, limits: &StoreLimits) -> Self {
        Self {
            backend: Arc::new(backend),
            limits: Arc::new(limits.clone()),
            turn: Turn::default(),
        }
    }

    /// Returns the same stores with other limits. The size of the cache stays as it is.
    pub(crate) fn with_limits(&self, limits: &StoreLimits) -> Self {
        self.backend.bound(limits);
        Self {
            limits: Arc::new(limits.clone()),
            ..self.clone()
        }
    }

    /// Tries to write again if that failed, and gives disk space back that is not needed. Call it now and then.
    pub(crate) async fn tend(&self) {
        if !self.backend.is_due() {
            return;
        }
        let backend = Arc::clone(&self.backend);
        // A panic is reported by the runtime.
        let _ = tokio::task::spawn_blocking(move || backend.tend()).await;
    }

    /// Returns how the stores do.
    pub(crate) fn report(&self) -> Report {
        self.backend.report()
    }
}

fn on_disk(state_dir: &Path, limits: &StoreLimits, patience: Duration) -> Result<Disk, OpenError> {
    let start = Instant::now();
    let mut waits = false;
    loop {
        let holder = match attempt(state_dir, limits)? {
            Attempt::Opened(disk) => return Ok(*disk),
            Attempt::Held(holder) => holder,
        };
        let is_over = start.elapsed() >= patience;
        if is_over {
            return Err(OpenError::InUse {
                folder: state_dir.to_owned(),
                holder,
            });
        }
        if !waits {
            waits = true;
            let folder = state_dir.display();
            tracing::info!(%folder, holder, "waiting for the state folder, which another host uses");
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

enum Attempt {
    Opened(Box<Disk>),
    /// Another process has the folder.
    Held(Option<u32>),
}

fn attempt(state_dir: &Path, limits: &StoreLimits) -> Result<Attempt, OpenError> {
    let lock = FolderLock::attempt(state_dir).map_err(|error| OpenError::Folder {
        folder: state_dir.to_owned(),
        reason: error.to_string(),
    })?;
    let lock = match lock {
        Locking::Locked(lock) => lock,
        Locking::Held(holder) => return Ok(Attempt::Held(holder)),
    };
    let file = state_dir.join(FILE);
    let disk = Disk::new(file.clone(), limits, Some(lock));
    match disk.open_now() {
        Ok(()) => Ok(Attempt::Opened(Box::new(disk))),
        // A version without the lock has it open.
        Err(DatabaseError::DatabaseAlreadyOpen) => Ok(Attempt::Held(None)),
        Err(error) if is_full(&error) => {
            tracing::error!(file = %file.display(), %error, "the key-value stores cannot be opened yet");
            Ok(Attempt::Opened(Box::new(disk)))
        }
        Err(error) => Err(OpenError::File {
            file,
            reason: error.to_string(),
        }),
    }
}

/// Returns whether the disk has no room for a file.
fn is_full(error: &DatabaseError) -> bool {
    let full = [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::FileTooLarge,
    ];
    match error {
        DatabaseError::Storage(StorageError::Io(error)) => full.contains(&error.kind()),
        _ => false,
    }
}
