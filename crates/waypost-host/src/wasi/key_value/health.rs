//! Whether the stores work, and when to try again if they don't.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The shortest pause between two attempts that fail.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between two attempts that fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What became of the latest attempts to do one thing, such as to write.
///
/// The first failure may be followed by another attempt at once, since it may concern one request alone. From the
/// second on, attempts pause: each costs time that others wait for.
#[derive(Default)]
pub(super) struct Attempts {
    is_failing: AtomicBool,
    failures: AtomicU64,
    series: Mutex<Series>,
}

#[derive(Default)]
struct Series {
    length: u32,
    next: Option<Instant>,
    reason: String,
}

impl Attempts {
    fn series(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allows an attempt.
    ///
    /// # Errors
    ///
    /// If the latest ones failed a moment ago: why they did.
    pub(super) fn begin(&self) -> Result<(), String> {
        if !self.is_failing() {
            return Ok(());
        }
        let series = self.series();
        match series.next {
            Some(next) if Instant::now() < next => Err(series.reason.clone()),
            _ => Ok(()),
        }
    }

    /// Records a success; returns whether it ends a series of failures.
    pub(super) fn succeed(&self) -> bool {
        let ended = self.is_failing.swap(false, Ordering::Relaxed);
        if ended {
            *self.series() = Series::default();
        }
        ended
    }

    /// Records a failure; returns whether it is the first of a series.
    pub(super) fn fail(&self, reason: &str) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut series = self.series();
        let pause = FIRST_PAUSE.saturating_mul(1 << series.length.min(10));
        series.next = (series.length > 0).then(|| Instant::now() + pause.min(LONGEST_PAUSE));
        series.length = series.length.saturating_add(1);
        reason.clone_into(&mut series.reason);
        !self.is_failing.swap(true, Ordering::Relaxed)
    }

    /// Returns whether the latest attempt failed.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Returns how many attempts failed since the start.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_stops_nobody_and_two_make_the_next_wait() {
        let attempts = Attempts::default();
        assert!(attempts.fail("first"));
        assert_eq!(attempts.begin(), Ok(()));
        assert!(!attempts.fail("second"));
        assert_eq!(attempts.begin(), Err("second".to_owned()));
        std::thread::sleep(2 * FIRST_PAUSE);
        assert_eq!(attempts.begin(), Ok(()));
        assert!(attempts.succeed());
        assert!(!attempts.is_failing() && !attempts.succeed());
        assert_eq!(attempts.failures(), 2);
    }
}
