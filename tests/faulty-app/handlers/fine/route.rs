//! `/fine`: a route that works.

async fn get() -> &'static str {
    "fine"
}

waypost::export!(get);
