//! `/cached`: a short text, which the host caches.

async fn get() -> &'static str {
    "Hello, world!"
}

waypost::export!(get; cache());
