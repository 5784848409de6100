//! `/c/gsp-cookies/[slug]`: the number of cookies. It depends on the client, so it is not cached.

use serde_json::{Value, json};
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Value> {
    let n = ctx.cookies().all().len();
    Json(json!({ "slug": ctx.params.get("slug"), "n": n, "id": ids::id() }))
}

waypost::export!(get);
