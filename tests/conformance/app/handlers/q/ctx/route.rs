//! `/q/ctx`: the context of a route without dynamic segments. Its params are a promise in Next, and a value here.

use serde_json::{Value, json};
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Value> {
    let params = Some(ctx.params).filter(|params| !params.is_empty());
    let kind = if params.is_some() {
        "object"
    } else {
        "undefined"
    };
    Json(json!({ "keys": ["params"], "paramsType": kind, "isPromise": false, "params": params }))
}

waypost::export!(get);
