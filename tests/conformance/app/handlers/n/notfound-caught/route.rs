//! `/n/notfound-caught`: an early end is an ordinary `Err`, which a handler can inspect.

use serde_json::{Value, json};
use waypost::{Json, not_found};

async fn get() -> Json<Value> {
    let signal = not_found();
    let digest = format!("NEXT_HTTP_ERROR_FALLBACK;{}", signal.status().as_u16());
    Json(json!({ "name": "Error", "message": digest, "digest": digest }))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
