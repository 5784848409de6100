//! `/c/rev1-err`: an id that is fresh for a second, or an error while the flag is on.

use serde_json::Value;
use waypost::{Json, Result};

async fn get() -> Result<Json<Value>> {
    match flag::is_on().await? {
        true => Err(anyhow::anyhow!("the flag is on").into()),
        false => Ok(ids::get().await),
    }
}

waypost::export!(get; cache(revalidate = 1));
