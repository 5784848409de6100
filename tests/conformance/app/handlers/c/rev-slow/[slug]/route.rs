//! `/c/rev-slow/[slug]`: an id, after a while.

use std::time::Duration;

use serde_json::Value;
use waypost::{Json, time::sleep};

async fn get() -> Json<Value> {
    sleep(Duration::from_millis(400)).await;
    ids::get().await
}

waypost::export!(get; cache(revalidate = 60));
