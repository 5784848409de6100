//! `/m/sync`: a handler that awaits nothing; in Rust it must be `async` anyway.

async fn get() -> &'static str {
    "sync"
}

waypost::export!(get);
