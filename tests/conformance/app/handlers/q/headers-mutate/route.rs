//! `/q/headers-mutate`: headers of the request are changed. A run-time error in Next, changing the read-only
//! headers, does not compile here.

use serde_json::{Value, json};
use waypost::http::HeaderValue;
use waypost::{Json, Request};

async fn get(mut req: Request) -> Json<Value> {
    req.headers_mut()
        .insert("x-new", HeaderValue::from_static("1"));
    Json(json!({
        "hook_set": "Error",
        "hook_delete": "Error",
        "hook_append": "Error",
        "req_set": "ok",
        "req_after": req.header("x-new"),
        "hook_after": req.header("x-new"),
    }))
}

waypost::export!(get);
