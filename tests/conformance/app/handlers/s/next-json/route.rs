//! `/s/next-json`: JSON with a status. A handler can't choose the reason phrase, which HTTP/2 does not have.

use serde_json::json;
use waypost::{Response, Result};

async fn get() -> Result {
    Ok(Response::json(&json!({ "ok": true }))?
        .with_status(202)
        .with_header("x-a", "1"))
}

waypost::export!(get);
