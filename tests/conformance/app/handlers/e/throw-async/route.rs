//! `/e/throw-async`: an error after a pause.

use std::time::Duration;

use waypost::Result;
use waypost::time::sleep;

async fn get() -> Result {
    sleep(Duration::from_millis(1)).await;
    Err(anyhow::anyhow!("secret-detail").into())
}

waypost::export!(get, post = get);
