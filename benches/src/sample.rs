//! [`Sample`]: the result of one run of one line, and the median of several.

use std::time::Duration;

/// One measurement.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Sample {
    /// Correct responses per second.
    pub rate: f64,
    /// The median latency, in milliseconds.
    pub p50: f64,
    /// The 99th percentile of the latency, in milliseconds.
    pub p99: f64,
    /// The number of responses with another status, and of requests without a response.
    pub bad: u64,
}

impl Sample {
    /// Computes a sample from the time of each response.
    pub fn of(mut taken: Vec<Duration>, elapsed: Duration, bad: u64) -> Self {
        taken.sort();
        let at = |part: usize| {
            let index = (taken.len() * part / 100).min(taken.len().saturating_sub(1));
            taken
                .get(index)
                .map_or(0.0, |taken| taken.as_secs_f64() * 1000.0)
        };
        let rate = taken.len() as f64 / elapsed.as_secs_f64();
        Self {
            rate,
            p50: at(50),
            p99: at(99),
            bad,
        }
    }
}

/// Returns the median of some figures, or `None` if there are none. None may be NaN.
pub fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<_> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(figures[middle]),
        _ => Some((figures[middle - 1] + figures[middle]) / 2.0),
    }
}
