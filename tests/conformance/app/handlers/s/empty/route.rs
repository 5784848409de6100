//! `/s/empty`: an empty text, which still has a content type.

async fn get() -> &'static str {
    ""
}

waypost::export!(get);
