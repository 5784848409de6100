//! `/c/fetch/[mode]`: a fetch that is cached as its mode says.

use serde_json::{Value, json};
use waypost::{Context, Json, Result, fetch};

#[derive(serde::Deserialize)]
struct Params {
    mode: String,
}

async fn get(ctx: Context<Params>) -> Result<Json<Value>> {
    let mode = ctx.params.mode;
    let fetch = fetch(format!("/c/count/{mode}"));
    let fetch = match mode.as_str() {
        "force-cache" => fetch.force_cache(),
        "no-store" => fetch.no_store(),
        "revalidate" => fetch.revalidate(2),
        "tag" => fetch.force_cache().tags(["ft1"]),
        _ => fetch,
    };
    let count: u32 = fetch.await?.into_json().await?;
    Ok(Json(json!({ "n": count })))
}

waypost::export!(get);
