//! `/s/empty`: an empty text, which is a text all the same.

async fn get() -> &'static str {
    ""
}

waypost::export!(get);
