//! Invariants for every input, with one function for each fuzz target.
//!
//! A function takes bytes from a fuzzer, and panics if an invariant is broken. `fuzz/` calls it with libFuzzer, and the
//! test of this crate calls it with every seed in `fuzz/seeds/`. The functions test private parsers through the public
//! API.
//!
//! An input is a list of fields, separated by the byte [`0xFF`](input), so that a field may contain any text.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken promise is a panic, which is what the fuzzer looks for"
)]

mod cookies;
mod dispatch;
mod fetch;
mod form;
mod headers;
mod input;
mod location;
mod multipart;
mod query;
mod router;
#[path = "../../../crates/waypost-routing/tests/support/invariants.rs"]
mod routing;
mod url;

pub use cookies::cookies;
pub use dispatch::dispatch;
pub use fetch::fetch;
pub use form::form;
pub use headers::headers;
pub use location::location;
pub use multipart::multipart;
pub use query::query;
pub use router::router;
pub use url::url;

/// Checks one input.
pub type Target = fn(&[u8]);

/// The fuzz targets by name.
pub const TARGETS: [(&str, Target); 12] = [
    ("cookies", cookies),
    ("dispatch", dispatch),
    ("fetch", fetch),
    ("form", form),
    ("headers", headers),
    ("location", location),
    ("multipart", multipart),
    ("query", query),
    ("resolve", resolve),
    ("router", router),
    ("table", table),
    ("url", url),
];

/// Checks `Path::resolve`. The input is a path.
pub fn resolve(data: &[u8]) {
    if let Ok(raw) = str::from_utf8(data) {
        routing::resolve(raw);
    }
}

/// Checks a table. Each line of the input is a folder with a route or, if it starts with `?`, a path to look up.
pub fn table(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        routing::table(text);
    }
}
