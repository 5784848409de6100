//! `/c/gsp-all/[...slug]`: an id for each path of one or more segments.

use serde_json::{Value, json};
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Value> {
    Json(json!({ "slug": ctx.params.get_all("slug"), "id": ids::id() }))
}

waypost::export!(get; cache());
