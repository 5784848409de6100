//! `/c/gsp-closed-post/[slug]`: a GET that is cached, and a POST that is not.

use ids::get_slug;
use serde_json::{Value, json};
use waypost::{Context, Json};

async fn post(ctx: Context) -> Json<Value> {
    Json(json!({ "m": "POST", "slug": ctx.params.get("slug") }))
}

waypost::export!(get = get_slug, post; cache());
