//! `/c/edge`: the runtime of the handler. Waypost has only one, so this one says what Next's does.

use serde_json::{Value, json};
use waypost::{Json, Request};

async fn get(req: Request) -> Json<Value> {
    Json(json!({ "runtime": "edge", "edge": "string", "url": req.url().path() }))
}

waypost::export!(get);
