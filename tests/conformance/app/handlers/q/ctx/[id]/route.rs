//! `/q/ctx/[id]`: the context of a route with a dynamic segment.

use serde_json::{Value, json};
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Value> {
    let params = Some(ctx.params).filter(|params| !params.is_empty());
    let kind = if params.is_some() {
        "object"
    } else {
        "undefined"
    };
    Json(json!({ "keys": ["params"], "paramsType": kind, "isPromise": true, "params": params }))
}

waypost::export!(get);
