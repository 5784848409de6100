//! `/e/throw-undefined`: an error that says nothing.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::Error::msg("").into())
}

waypost::export!(get);
