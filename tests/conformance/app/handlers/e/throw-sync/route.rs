//! `/e/throw-sync`: an error.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::anyhow!("secret-detail").into())
}

waypost::export!(get, post = get);
