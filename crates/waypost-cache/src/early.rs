//! When a response that has no stale window is refreshed before it expires.
//!
//! A response whose `expire` is its `revalidate` is never served stale: without this, all requests wait for a run each time it
//! expires. So the nearer the end, the more probably a request begins a refresh, which takes about as long as the run before
//! (XFetch: Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015, with β = 1).

use std::time::Duration;

use crate::Life;

/// How many times the length of a run the end must be near. Farther away, a refresh has a probability below 10⁻⁶.
const NEAR: u32 = 14;

/// Returns how long a response of this age stays, if it is near its end and has no stale window. `run` is how long it took to
/// make.
pub fn near_end(life: Life, age: Duration, run: Duration) -> Option<Duration> {
    let left = life.expire().checked_sub(age)?;
    let has_window = life.fresh_for() < life.expire();
    (!has_window && left <= run.saturating_mul(NEAR)).then_some(left)
}

/// Returns whether a request refreshes a response that stays for `left`. `random` is any number, drawn for each request.
pub fn refreshes(left: Duration, run: Duration, random: u32) -> bool {
    // Above 0, and at most 1.
    let random = (f64::from(random) + 1.0) / (f64::from(u32::MAX) + 1.0);
    run.as_secs_f64() * -random.ln() >= left.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(revalidate: Option<u64>, expire: u64) -> Life {
        let time = Duration::from_secs;
        Life::new(revalidate.map(time), Some(time(expire))).unwrap()
    }

    #[test]
    fn only_what_is_never_stale_is_refreshed_early() {
        let (run, age) = (Duration::from_secs(2), Duration::from_secs(50));
        let left = Some(Duration::from_secs(10));
        assert_eq!(near_end(life(Some(60), 60), age, run), left);
        assert_eq!(near_end(life(None, 60), age, run), left);
        assert_eq!(near_end(life(Some(55), 60), age, run), None);
        assert_eq!(
            near_end(life(Some(60), 60), Duration::from_secs(31), run),
            None
        );
        assert_eq!(
            near_end(life(Some(60), 60), Duration::from_secs(61), run),
            None
        );
        assert_eq!(near_end(life(Some(60), 60), age, Duration::ZERO), None);
        assert_eq!(near_end(life(Some(60), 60), age, Duration::MAX), left);
    }

    #[test]
    fn the_nearer_the_end_the_more_requests_refresh() {
        let run = Duration::from_secs(1);
        // Every 65,537th number, so evenly.
        let share = |left: u64| {
            let numbers = (0..=u16::MAX).map(|number| u32::from(number) * 65_537);
            let due = numbers.filter(|random| refreshes(Duration::from_millis(left), run, *random));
            due.count() as f64 / 65_536.0
        };
        assert_eq!(share(0), 1.0);
        for (left, expected) in [(1000, 0.368), (2000, 0.135), (5000, 0.0067)] {
            let share = share(left);
            assert!((share - expected).abs() < 0.001, "{left}: {share}");
        }
        assert!(!refreshes(Duration::from_secs(23), run, 0));
        assert!(!refreshes(Duration::from_millis(1), Duration::ZERO, 0));
    }
}
