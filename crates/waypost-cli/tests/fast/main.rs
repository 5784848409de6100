//! The command, as far as it neither builds components nor runs any: `cargo test --package waypost-cli --test fast`.
//!
//! What needs a built app is in the program `apps`, in the folder `tests` of the repository.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic and print"
)]

mod architecture;
mod cache;
mod commands;
mod components;
mod copies;
mod docs;
mod doctor;
mod folders;
mod spin_manifest;
mod support;
mod sync;
mod trees;
