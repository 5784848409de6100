//! `/s/text-utf8`: text beyond ASCII.

async fn get() -> &'static str {
    "héllo ✓"
}

waypost::export!(get);
