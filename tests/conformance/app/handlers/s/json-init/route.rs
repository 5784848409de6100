//! `/s/json-init`: JSON with another status and content type.

use serde_json::json;
use waypost::{Response, Result};

async fn get() -> Result {
    Ok(Response::json(&json!({ "ok": true }))?
        .with_status(201)
        .with_header("x-a", "1")
        .with_header("content-type", "application/problem+json"))
}

waypost::export!(get);
