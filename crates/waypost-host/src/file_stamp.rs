//! Files that are read again when they change.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often at most a file is looked at, so that a busy route does not ask the disk.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Tells versions of a file apart without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp(Option<(SystemTime, u64)>);

impl FileStamp {
    /// Looks at a file. One that is not there has a stamp of its own.
    pub(crate) fn of(path: &Path) -> Self {
        let stamp =
            std::fs::metadata(path).and_then(|metadata| Ok((metadata.modified()?, metadata.len())));
        Self(stamp.ok())
    }

    /// When the file changed last, if it is there.
    pub(crate) fn changed(self) -> Option<SystemTime> {
        self.0.map(|(changed, _)| changed)
    }
}
