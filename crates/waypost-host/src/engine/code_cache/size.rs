//! How much a code cache keeps: what was not used for longest goes first.

use super::entry::EXTENSION;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;

/// Begins the name of a file that is being written.
const NEW: &str = ".new-";

/// How old such a file gets before nobody can be writing it any more.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Creates a file that becomes an entry, or the key, once it is complete. Only this user can read it.
pub(super) fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(NEW).tempfile_in(folder)
}

/// The size of a cache, and its bound.
#[derive(Debug)]
pub(super) struct Size {
    max_bytes: u64,
    /// About how large the entries are together; unknown before the first write.
    total: Mutex<Option<u64>>,
}

impl Size {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            total: Mutex::default(),
        }
    }

    /// Counts what was written, and removes old entries if the cache is too large now.
    pub(super) fn grew(&self, folder: &Path, written: usize) {
        let written = u64::try_from(written).unwrap_or(u64::MAX);
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        let known = total.map(|total| total.saturating_add(written));
        // Other hosts write to the folder as well: it is looked at once, and whenever there is something to remove.
        *total = match known {
            Some(known) if known <= self.max_bytes => Some(known),
            _ => Some(self.tidy(folder)),
        };
    }

    /// Removes the oldest entries until a quarter is free, if there are too many; returns the size of the rest.
    fn tidy(&self, folder: &Path) -> u64 {
        let mut entries = entries(folder);
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        if total <= self.max_bytes {
            return total;
        }
        let aim = self.max_bytes / 4 * 3;
        entries.sort_by_key(|entry| entry.used);
        for entry in entries {
            if total <= aim {
                break;
            }
            // An entry that another host removed is gone as well.
            let _ = std::fs::remove_file(&entry.path);
            total = total.saturating_sub(entry.bytes);
        }
        total
    }
}

struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// Lists the entries of a folder, and removes what was never finished. Other files are left alone.
fn entries(folder: &Path) -> Vec<Entry> {
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut entries = Vec::new();
    for file in files.flatten() {
        let (name, path) = (file.file_name(), file.path());
        let Ok(about) = file.metadata() else { continue };
        let name = name.to_string_lossy();
        if name.starts_with(NEW) && is_abandoned(&about) {
            let _ = std::fs::remove_file(&path);
        } else if name.ends_with(EXTENSION) && about.is_file() {
            let (bytes, used) = (
                about.len(),
                about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            );
            entries.push(Entry { path, bytes, used });
        }
    }
    entries
}

fn is_abandoned(about: &Metadata) -> bool {
    let age = about
        .modified()
        .ok()
        .and_then(|written| written.elapsed().ok());
    age.is_some_and(|age| age > ABANDONED)
}
