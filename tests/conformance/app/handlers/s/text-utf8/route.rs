//! `/s/text-utf8`: non-ASCII text.

async fn get() -> &'static str {
    "héllo ✓"
}

waypost::export!(get);
