//! `/hello`: a short text.

async fn get() -> &'static str {
    "Hello, world!"
}

waypost::export!(get);
