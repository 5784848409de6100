//! `/s/text`: text.

async fn get() -> &'static str {
    "hello"
}

waypost::export!(get);
