//! `/s/next-json`: JSON with a status. A reason phrase can't be chosen: HTTP/2 has none.

use serde_json::json;
use waypost::{Response, Result};

async fn get() -> Result {
    Ok(Response::json(&json!({ "ok": true }))?
        .with_status(202)
        .with_header("x-a", "1"))
}

waypost::export!(get);
