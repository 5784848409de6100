//! Resolves any path:
//! `cargo +nightly fuzz run resolve fuzz/corpus/resolve fuzz/seeds/resolve`.

#![no_main]

// The invariants of the other target are in the same file.
#[allow(dead_code)]
#[path = "../../crates/waypost-routing/tests/support/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|text: &str| invariants::resolve(text));
