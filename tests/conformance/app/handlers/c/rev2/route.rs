//! `/c/rev2`: an id that is fresh for two seconds.

use std::time::Duration;

use serde_json::Value;
use waypost::{Json, time::sleep};

async fn get() -> Json<Value> {
    // Requests that are sent at once arrive before a refresh has ended.
    sleep(Duration::from_millis(100)).await;
    ids::get().await
}

waypost::export!(get; cache(revalidate = 2));
