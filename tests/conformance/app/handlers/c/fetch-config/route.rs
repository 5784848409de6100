//! `/c/fetch-config`: a fetch that is cached. Next has an option that does so for all fetches of a route.

use serde_json::{Value, json};
use waypost::{Json, Result, fetch};

async fn get() -> Result<Json<Value>> {
    let count: u32 = fetch("/c/count/config").force_cache().await?.into_json().await?;
    Ok(Json(json!({ "n": count })))
}

waypost::export!(get);
