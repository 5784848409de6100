//! Files that are read again when they change.

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
