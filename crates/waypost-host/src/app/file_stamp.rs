//! Files that are read again when they change.

use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// How often at most a file is looked at, so that a busy route does not ask the disk.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// When a file was looked at last.
#[derive(Default)]
pub(crate) struct LastLook(Option<Instant>);

impl LastLook {
    /// Tells whether it is time to look again.
    pub(crate) fn is_due(&self) -> bool {
        self.0.is_none_or(|last| last.elapsed() >= LOOK_INTERVAL)
    }

    /// Records that the file was looked at.
    pub(crate) fn done(&mut self) {
        self.0 = Some(Instant::now());
    }

    /// Has the next look come at once.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}

/// How long after a change a file may change again without another stamp: clocks of file systems tick slowly, some
/// once in two seconds.
const TICK: Duration = Duration::from_secs(2);

/// Tells versions of a file apart without reading it, as far as the file system can.
///
/// The time of the last change of the file's record cannot be set, so a tool that restores length and time of the
/// content is noticed too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp(Option<About>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct About {
    length: u64,
    modified: SystemTime,
    /// Device, inode, and when the record changed: seconds and nanoseconds.
    record: (u64, u64, i64, i64),
}

impl FileStamp {
    /// Looks at a file. A missing one has a stamp of its own.
    pub(crate) fn of(path: &Path) -> Self {
        let about = std::fs::metadata(path).and_then(|metadata| {
            Ok(About {
                length: metadata.len(),
                modified: metadata.modified()?,
                record: record(&metadata),
            })
        });
        Self(about.ok())
    }

    /// Returns when the file's content changed last, or `None` if the file is missing.
    pub(crate) fn modified(self) -> Option<SystemTime> {
        self.0.map(|about| about.modified)
    }

    /// Returns whether a later change gets another stamp for certain. It may not for [`TICK`] after a change.
    pub(crate) fn is_final(self) -> bool {
        let Some(about) = self.0 else { return true };
        let record = u64::try_from(about.record.2).unwrap_or_default();
        let changed = about
            .modified
            .max(SystemTime::UNIX_EPOCH + Duration::from_secs(record));
        // A time in the future never passes: a clock that is wrong would have the file read for ever.
        changed.elapsed().map_or(true, |age| age > TICK)
    }
}

#[cfg(unix)]
fn record(metadata: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;

    let (seconds, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
    (metadata.dev(), metadata.ino(), seconds, nanoseconds)
}

#[cfg(not(unix))]
fn record(_metadata: &Metadata) -> (u64, u64, i64, i64) {
    (0, 0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_file_of_the_same_length_and_time_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "one").unwrap();
        let before = FileStamp::of(&file);
        assert_eq!(before, FileStamp::of(&file));
        assert!(!before.is_final());
        // Until the clock of the file system ticks.
        let began = Instant::now();
        while before == FileStamp::of(&file) && began.elapsed() < TICK {
            std::fs::write(&file, "two").unwrap();
            let written = std::fs::File::open(&file).unwrap();
            written.set_modified(before.modified().unwrap()).unwrap();
        }
        let after = FileStamp::of(&file);
        assert_eq!(before.modified(), after.modified());
        assert_ne!(before, after);
    }

    #[test]
    fn a_missing_file_is_final() {
        let missing = FileStamp::of(Path::new("no such file"));
        assert!(missing.is_final() && missing.modified().is_none());
    }
}
