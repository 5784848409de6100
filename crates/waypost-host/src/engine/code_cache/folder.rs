//! The folder of a code cache: where it is, and whether other users could change what is in it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Why compiled code cannot be kept in a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeCacheError {
    /// The folder, or one above it, belongs to another user.
    #[error("`{}` belongs to another user, who could change the compiled code", path.display())]
    Owner {
        /// The folder that belongs to another user.
        path: PathBuf,
    },
    /// Other users can write the folder, or one above it.
    #[error("other users can change `{}` (mode {mode:o})", path.display())]
    Writable {
        /// The folder that others can write.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The folder cannot be created, read or written.
    #[error("`{}` cannot be used: {reason}", path.display())]
    Unusable {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
}

impl CodeCacheError {
    pub(super) fn unusable(path: &Path, error: &io::Error) -> Self {
        Self::Unusable {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

/// Returns the folder of a user, whose `XDG_CACHE_HOME` counts if it is absolute (XDG Base Directory Specification).
pub(super) fn of_user(cache_home: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let named = cache_home
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let home = home.filter(|path| path.is_absolute());
    let base = named.or_else(|| home.map(|home| home.join(".cache")))?;
    Some(base.join("waypost"))
}

/// Opens a folder, which is created for this user alone if it is missing, and returns its canonical path.
///
/// # Errors
///
/// Returns an error if the folder cannot be created, or is not safe from other users.
pub(super) fn open(folder: &Path) -> Result<PathBuf, CodeCacheError> {
    let fail = |error: io::Error| CodeCacheError::unusable(folder, &error);
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(fail)?;
    let folder = folder.canonicalize().map_err(fail)?;
    check(&folder)?;
    Ok(folder)
}

/// Checks that no other user but root can change the folder, or put another one in its place.
#[cfg(unix)]
fn check(folder: &Path) -> Result<(), CodeCacheError> {
    use std::os::unix::fs::MetadataExt as _;

    /// Write permission of the group and of others.
    const WRITE: u32 = 0o022;
    /// In such a folder only the owner of an entry can replace it, as in `/tmp`.
    const STICKY: u32 = 0o1000;

    let user = rustix::process::geteuid().as_raw();
    for path in folder.ancestors() {
        let about = path
            .metadata()
            .map_err(|error| CodeCacheError::unusable(path, &error))?;
        let is_parent = path != folder;
        if about.uid() != user && !(is_parent && about.uid() == 0) {
            let path = path.to_owned();
            return Err(CodeCacheError::Owner { path });
        }
        let is_sticky = is_parent && about.mode() & STICKY != 0;
        if about.mode() & WRITE != 0 && !is_sticky {
            let (path, mode) = (path.to_owned(), about.mode() & 0o7777);
            return Err(CodeCacheError::Writable { path, mode });
        }
    }
    Ok(())
}

/// A user's folders are that user's own by default.
#[cfg(not(unix))]
fn check(_folder: &Path) -> Result<(), CodeCacheError> {
    Ok(())
}
