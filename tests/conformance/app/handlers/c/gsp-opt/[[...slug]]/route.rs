//! `/c/gsp-opt/[[...slug]]`: an id for each path of any number of segments.

use serde_json::{Value, json};
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Value> {
    let slug = Some(ctx.params.get_all("slug")).filter(|slug| !slug.is_empty());
    Json(json!({ "slug": slug, "id": ids::id() }))
}

waypost::export!(get; cache());
