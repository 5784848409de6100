//! `/target`: where redirects lead.

async fn get() -> &'static str {
    "target"
}

waypost::export!(get);
