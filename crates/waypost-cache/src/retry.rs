//! When a refresh that failed is tried again.

use std::time::Duration;

/// The time after the first failure, as in Next.
const FIRST: u64 = 3000;

/// The longest time between two attempts, without jitter.
const LONGEST: u64 = 30_000;

/// Returns how long to wait before the next attempt, after this number of failures in a row: 3 s, doubled with each
/// failure up to 30 s.
///
/// `jitter` is a random byte. It adds up to a quarter, so that many keys that failed together are not tried together.
pub fn retry_after(failures: u32, jitter: u8) -> Duration {
    let doubled = failures.saturating_sub(1).min(4);
    let base = (FIRST << doubled).min(LONGEST);
    Duration::from_millis(base + base * u64::from(jitter) / (4 * 255))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let seconds =
            [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|failures| retry_after(failures, 0).as_secs());
        assert_eq!(seconds, [3, 3, 6, 12, 24, 30, 30, 30]);
    }

    #[test]
    fn jitter_adds_up_to_a_quarter() {
        assert_eq!(retry_after(1, 255), Duration::from_millis(3750));
        assert_eq!(retry_after(9, 255), Duration::from_millis(37_500));
    }
}
