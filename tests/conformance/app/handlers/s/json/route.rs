//! `/s/json`: JSON.

use serde_json::{Value, json};
use waypost::Json;

async fn get() -> Json<Value> {
    Json(json!({ "a": 1, "ü": "✓", "nested": { "list": [1, null, true] } }))
}

waypost::export!(get);
