//! `/c/op`: an operation on the cache, and its argument.

use serde_json::{Value, json};
use waypost::{Cache, Json, Query};

#[derive(serde::Deserialize)]
struct Operation {
    op: String,
    v: String,
}

async fn get(cache: Cache, Query(Operation { op, v }): Query<Operation>) -> Json<Value> {
    let done = match op.as_str() {
        "path" => cache.revalidate_path(v),
        "path-page" => cache.revalidate_route(v),
        "path-layout" => cache.revalidate_below(v),
        "tag-max" => cache.revalidate_tag(v),
        "tag-now" | "tag-legacy" | "update-tag" => cache.expire_tag(v),
        _ => Ok(()),
    };
    // As in Next, an argument that is not valid does nothing.
    drop(done);
    Json(json!({ "ok": true }))
}

waypost::export!(get, post = get);
