//! `/c/tagged`: a cached response with a tag of its own.

use ids::id;
use serde_json::json;
use waypost::{Response, Result};

async fn get() -> Result {
    let body = json!({ "id": id(), "inner": id() });
    Ok(Response::json(&body)?.tag("t1"))
}

waypost::export!(get; cache());
