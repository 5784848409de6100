//! [`Clock`]: the time for ages, which never goes back while the host runs.

use std::time::{Duration, Instant, SystemTime};

/// A clock that is right at its start, and counts on without regard to changes of the system's clock.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
    /// The time since the Unix epoch at the start.
    wall: Duration,
}

impl Clock {
    pub(super) fn new() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            start: Instant::now(),
            wall: wall.unwrap_or_default(),
        }
    }

    /// Returns the time since the Unix epoch.
    pub(super) fn now(&self) -> Duration {
        self.wall.saturating_add(self.start.elapsed())
    }
}
