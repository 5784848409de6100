//! [`Verdict`]: whether an entry may be served.

use std::time::Duration;

use crate::Life;

/// Whether an entry may be served. The order is that of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It may be served.
    Fresh,
    /// It may be served while a new response is made
    /// ([RFC 5861 section 3](https://www.rfc-editor.org/rfc/rfc5861#section-3)).
    Stale,
    /// It must not be served.
    Gone,
}

/// How far the clocks of two hosts may differ. An entry that lies further in the future has an unknown age.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);

impl Verdict {
    /// Judges by age alone. `made` and `now` are times since the Unix epoch.
    ///
    /// A response is fresh while its age is less than `revalidate`
    /// ([RFC 9111 section 4.2](https://www.rfc-editor.org/rfc/rfc9111#section-4.2)). A response from the future has the
    /// age zero. If it is from more than [`MAX_CLOCK_SKEW`] in the future, it is stale, because a clock was changed.
    pub fn by_age(made: Duration, now: Duration, life: Life) -> Self {
        let age = now.saturating_sub(made);
        if age >= life.expire() {
            Self::Gone
        } else if age >= life.fresh_for() || made.saturating_sub(now) > MAX_CLOCK_SKEW {
            Self::Stale
        } else {
            Self::Fresh
        }
    }

    /// Combines two verdicts: the more severe one counts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let life = Life::new(
            Some(Duration::from_secs(60)),
            Some(Duration::from_secs(100)),
        )
        .unwrap();
        let made = Duration::from_secs(1000);
        for (now, expected) in [
            (1_000_000, Verdict::Fresh),
            (1_059_999, Verdict::Fresh),
            (1_060_000, Verdict::Stale),
            (1_099_999, Verdict::Stale),
            (1_100_000, Verdict::Gone),
            (940_000, Verdict::Fresh),
            (939_999, Verdict::Stale),
            (0, Verdict::Stale),
        ] {
            assert_eq!(
                Verdict::by_age(made, Duration::from_millis(now), life),
                expected,
                "{now}"
            );
        }
    }

    #[test]
    fn without_revalidate_age_makes_nothing_stale() {
        let life = Life::new(None, Some(Duration::from_secs(100))).unwrap();
        let by_age = |now| Verdict::by_age(Duration::ZERO, Duration::from_secs(now), life);
        assert_eq!((by_age(99), by_age(100)), (Verdict::Fresh, Verdict::Gone));
    }

    #[test]
    fn the_more_severe_verdict_counts() {
        use Verdict::{Fresh, Gone, Stale};
        assert_eq!(Fresh.and(Stale), Stale);
        assert_eq!(Gone.and(Stale), Gone);
        assert_eq!(Fresh.and(Fresh), Fresh);
    }
}
