//! `/target`: the target of redirects.

async fn get() -> &'static str {
    "target"
}

waypost::export!(get);
