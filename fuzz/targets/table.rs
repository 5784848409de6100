//! Builds any table and looks paths up:
//! `cargo +nightly fuzz run table fuzz/corpus/table fuzz/seeds/table`.

#![no_main]

// The invariants of the other target are in the same file.
#[allow(dead_code)]
#[path = "../../crates/waypost-routing/tests/support/invariants.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|text: &str| invariants::table(text));
