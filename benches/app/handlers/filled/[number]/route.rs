//! `/filled/[number]`: a short text, which the host caches for each number.

async fn get() -> &'static str {
    "Hello, world!"
}

waypost::export!(get; cache());
