//! `/c/tagged`: a cached response, made of a cached value with a tag.

use ids::id;
use serde_json::json;
use waypost::{Response, Result};

#[waypost::cached(tags = ["t1"])]
async fn inner() -> String {
    id()
}

async fn get() -> Result {
    let body = json!({ "id": id(), "inner": inner().await });
    Response::json(&body)
}

waypost::export!(get; cache());
