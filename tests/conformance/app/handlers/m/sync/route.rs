//! `/m/sync`: a handler that awaits nothing. In Rust it is `async` all the same.

async fn get() -> &'static str {
    "sync"
}

waypost::export!(get);
