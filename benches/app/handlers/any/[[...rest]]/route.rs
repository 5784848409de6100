//! `/any/…`: the same text everywhere. Apps of many routes are made of copies of this one.

async fn get() -> &'static str {
    "Hello, world!"
}

waypost::export!(get);
