//! The limit on how much a component may log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Length of the window over which the rate is measured.
const WINDOW: Duration = Duration::from_secs(1);

/// The limit for one component, all its instances together.
pub(crate) struct LogBudget {
    rate: u64,
    window: Mutex<Window>,
}

struct Window {
    start: Instant,
    spent: u64,
    refused: bool,
}

/// Whether a line may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may.
    Granted,
    /// It may not, and it is the first one in this window: report it, once.
    FirstRefused,
    /// It may not.
    Refused,
}

impl LogBudget {
    /// Allows `rate` bytes per second.
    pub(crate) fn new(rate: u64) -> Self {
        Self {
            rate,
            window: Mutex::new(Window::starting(Instant::now())),
        }
    }

    /// Returns whether a line that takes `bytes` bytes of the log may be logged, and counts it if so.
    pub(crate) fn spend(&self, bytes: usize) -> Verdict {
        self.spend_at(bytes, Instant::now())
    }

    fn spend_at(&self, bytes: usize, now: Instant) -> Verdict {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(window.start) >= WINDOW {
            *window = Window::starting(now);
        }
        let cost = u64::try_from(bytes).unwrap_or(u64::MAX);
        let spent = window.spent.saturating_add(cost);
        if spent <= self.rate {
            window.spent = spent;
            return Verdict::Granted;
        }
        match std::mem::replace(&mut window.refused, true) {
            false => Verdict::FirstRefused,
            true => Verdict::Refused,
        }
    }
}

impl Window {
    fn starting(start: Instant) -> Self {
        Self {
            start,
            spent: 0,
            refused: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends() {
        let budget = LogBudget::new(200);
        let now = Instant::now();
        assert_eq!(budget.spend_at(100, now), Verdict::Granted);
        assert_eq!(budget.spend_at(100, now), Verdict::Granted);
        assert_eq!(budget.spend_at(100, now), Verdict::FirstRefused);
        assert_eq!(budget.spend_at(100, now), Verdict::Refused);
        assert_eq!(budget.spend_at(100, now + WINDOW), Verdict::Granted);
    }
}
