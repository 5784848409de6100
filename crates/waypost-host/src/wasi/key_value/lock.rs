//! The lock of a state folder, which one process holds at a time.

use super::file;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// Name of the file that is locked. It stays when the lock is given up: whoever waits has it open.
const FILE: &str = "key_value.lock";

/// A process id has fewer digits.
const LONGEST_ID: u64 = 20;

/// Holds a state folder until it is dropped, or its process ends.
#[derive(Debug)]
pub(super) struct FolderLock(File);

/// What came of an attempt to lock a folder.
pub(super) enum Locking {
    Locked(FolderLock),
    /// Another holds it: its process, if that is known.
    Held(Option<u32>),
}

impl FolderLock {
    /// Locks a folder, unless another holds it.
    pub(super) fn attempt(folder: &Path) -> io::Result<Locking> {
        file::create_folder(folder)?;
        let mut file = file::open_private(&folder.join(FILE))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Locking::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(folder = %folder.display(), "the file system has no locks: make sure that one host alone uses this folder");
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if let Err(error) = sign(&mut file) {
            // The disk may be full. The lock holds all the same.
            tracing::debug!(%error, "the process id is not in the lock file");
        }
        Ok(Locking::Locked(Self(file)))
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Else the next holder could be taken for this one until it has signed.
        let _ = self.0.set_len(0);
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(std::process::id().to_string().as_bytes())
}

/// Reads which process holds the lock.
fn holder(file: &mut File) -> Option<u32> {
    let mut id = String::new();
    file.rewind().ok()?;
    file.take(LONGEST_ID).read_to_string(&mut id).ok()?;
    id.parse().ok()
}
