//! `/n/notfound-caught`: a signal is an `Err` like any other: a handler can look at it.

use serde_json::{Value, json};
use waypost::{Json, not_found};

async fn get() -> Json<Value> {
    let signal = not_found();
    let digest = format!("NEXT_HTTP_ERROR_FALLBACK;{}", signal.status().as_u16());
    Json(json!({ "name": "Error", "message": digest, "digest": digest }))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
