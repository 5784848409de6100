//! Reading the files of an app, which may be anything: a pipe, a device, a file without end.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// Largest text file of an app that is read: a manifest, settings or a table of routes.
pub const MAX_TEXT: u64 = 16 << 20;

/// Reads a regular file of at most `limit` bytes. A link to such a file is followed.
///
/// # Errors
///
/// Returns an error if the file is missing or unreadable, is not a regular file (a folder, a pipe, a socket or a
/// device, none of which is opened), or has more than `limit` bytes.
pub fn read_file(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
    let path = path.as_ref();
    // Opening a device can have an effect, so the file is looked at first. It is looked at again once it is open,
    // because it may have been replaced.
    check(&std::fs::metadata(path)?, limit)?;
    let mut file = open(path)?;
    let about = file.metadata()?;
    check(&about, limit)?;
    read(&mut file, about.len(), limit)
}

/// Reads a regular file of UTF-8 text of at most [`MAX_TEXT`] bytes.
///
/// # Errors
///
/// Returns the errors of [`read_file`], and an error of the kind `InvalidData` if the file is not UTF-8.
pub fn read_text_file(path: impl AsRef<Path>) -> Result<String> {
    let bytes = read_file(path, MAX_TEXT)?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn check(about: &Metadata, limit: u64) -> Result<()> {
    if about.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    if !about.is_file() {
        let message = "it is a pipe, a socket or a device, not a regular file";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    match about.len() > limit {
        true => Err(too_large(limit)),
        false => Ok(()),
    }
}

fn too_large(limit: u64) -> Error {
    let message = format!("it is larger than {} MiB", limit >> 20);
    Error::new(ErrorKind::FileTooLarge, message)
}

/// Opens a file without waiting for the other end of a pipe.
fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}

/// Reads at most `limit` bytes, however the file grows meanwhile.
fn read(file: &mut File, expected: u64, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()).is_ok_and(|len| len <= limit) {
        true => Ok(bytes),
        false => Err(too_large(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read_file(&file, 5).unwrap(), b"12345");
        assert_eq!(
            read_file(&file, 4).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
        assert_eq!(
            read_file(folder.path(), 5).unwrap_err().kind(),
            ErrorKind::IsADirectory
        );
        let missing = read_file(folder.path().join("missing"), 5);
        assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    #[cfg(unix)]
    fn pipes_and_devices_are_refused_at_once() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let endless = folder.path().join("endless");
        symlink("/dev/zero", &endless).unwrap();
        for file in [pipe, endless] {
            let error = read_file(&file, 5).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(read_text_file(&file).is_err());
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_hides_its_length_is_cut() {
        let kernel = Path::new("/proc/self/status");
        assert_eq!(
            read_file(kernel, 10).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
        assert!(!read_file(kernel, 1 << 20).unwrap().is_empty());
    }
}
