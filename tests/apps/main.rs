//! Whole apps, built by the real command and asked over HTTP: `cargo test --package waypost-cli --test apps`.
//!
//! Apps of tests have one target folder, and some answers are measured by the clock, so the tests take turns:
//! each waits with [`support::turn`]. What takes minutes, and shares nothing, is built before that, while another test has
//! its turn.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic and print"
)]

#[path = "../support/mod.rs"]
mod support;

mod abi;
mod alone;
mod caching;
mod cargo_component;
mod compose;
mod conformance;
mod examples;
mod faults;
mod languages;
mod new_app;
mod packed;
mod same_anywhere;
mod size;
mod spin;
mod watch;
