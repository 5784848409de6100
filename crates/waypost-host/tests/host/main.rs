//! Black-box tests: the real server on a free port, real components, a real client.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic and print"
)]

mod admin;
mod bounds;
mod cache;
mod chain;
mod compression;
mod conformity;
mod data;
mod guests;
mod lifecycle;
mod network;
mod protocol;
mod serving;
mod state;
mod stores;
mod streams;
mod support;
mod uploads;
mod upstream;
mod upstream_tls;
