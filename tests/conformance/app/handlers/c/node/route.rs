//! `/c/node`: the runtime of the handler, after more than a second.

use std::time::Duration;

use serde_json::{Value, json};
use waypost::{Json, time::sleep};

async fn get() -> Json<Value> {
    sleep(Duration::from_millis(1500)).await;
    Json(json!({ "runtime": "nodejs", "edge": "undefined" }))
}

waypost::export!(get);
