//! Waiting, on every target.

use std::time::Duration;

/// Waits. Other requests and streams of the instance go on meanwhile.
pub async fn sleep(duration: Duration) {
    crate::sys::sleep(duration).await;
}
