//! `/any/…`: the same text for every path. Apps with many routes consist of copies of this route.

async fn get() -> &'static str {
    "Hello, world!"
}

waypost::export!(get);
