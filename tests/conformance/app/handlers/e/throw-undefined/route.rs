//! `/e/throw-undefined`: an error without a message.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::Error::msg("").into())
}

waypost::export!(get);
