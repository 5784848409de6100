//! Timers, on every target.

use std::time::Duration;

/// Waits for this duration. Other requests and streams of the instance run meanwhile.
pub async fn sleep(duration: Duration) {
    crate::sys::sleep(duration).await;
}
