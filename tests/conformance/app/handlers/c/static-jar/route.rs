//! `/c/static-jar`: a cached handler that tries to set a cookie.

use serde_json::{Value, json};
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Value> {
    let set = ctx.cookies().set(("a", "1"));
    Json(json!({ "err": set.is_err().then_some("Error") }))
}

waypost::export!(get; cache());
