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

#[path = "../../../crates/waypost-cache/tests/support/invariants.rs"]
mod cache;
mod coding;
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

pub use coding::coding;
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

use input::Fields;

/// Checks one input.
pub type Target = fn(&[u8]);

/// The fuzz targets by name.
pub const TARGETS: [(&str, Target); 16] = [
    ("cache_entry", cache_entry),
    ("cache_headers", cache_headers),
    ("cache_key", cache_key),
    ("coding", coding),
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

/// Checks `Entry::from_bytes` of the cache. The input is an encoded entry, or one without its first four and last 16 bytes.
pub fn cache_entry(data: &[u8]) {
    cache::entry(data);
}

/// Checks what the cache reads and writes in headers and policies. Fields: any text, then headers of a response.
pub fn cache_headers(data: &[u8]) {
    let mut fields = Fields::of(data);
    let text = fields.text();
    let headers = fields.headers();
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    for (name, _) in headers.iter().filter(|(name, _)| !name.contains('_')) {
        let of_router = waypost_router::is_hop_by_hop(name);
        assert_eq!(
            waypost_cache::headers::is_hop_by_hop(name),
            of_router,
            "{name}"
        );
    }
    cache::headers(text, &headers);
}

/// Checks `Key` and `Sealed` of the cache. Fields of two requests: authority, target, `Accept`, `Cookie`.
pub fn cache_key(data: &[u8]) {
    let mut fields = Fields::of(data);
    let mut sent = || cache::Sent {
        authority: fields.text(),
        target: fields.text(),
        headers: [0; 2].map(|_| Some(fields.bytes()).filter(|value| !value.is_empty())),
    };
    cache::key(sent(), sent());
}

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
