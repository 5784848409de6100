//! `/e/throw-string`: a thrown text.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::Error::msg("just a text").into())
}

waypost::export!(get);
