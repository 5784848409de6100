//! What the tests share: apps in temporary folders, a client, and the log.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of it"
)]

mod app;
mod child;
mod client;
mod log;
mod programs;

pub use app::{Running, TestApp};
pub use child::{Child, serve_in_child};
pub use client::{Client, Reply};
pub use log::{log, logged};
pub use programs::{program, programs};

use std::time::Duration;

/// How long anything in a test may take. A test that reaches it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a condition holds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let met = tokio::time::timeout(PATIENCE, wait).await;
    assert!(met.is_ok(), "{what}: did not happen");
}
