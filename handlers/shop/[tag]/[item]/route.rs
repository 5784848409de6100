//! `/shop/[tag]/[item]`: two dynamic segments.

use waypost::{Context, Json, Request};

#[derive(serde::Deserialize, serde::Serialize)]
struct Params {
    tag: String,
    item: u32,
}

async fn get(_req: Request, ctx: Context<Params>) -> Json<Params> {
    Json(ctx.params)
}

waypost::export!(get);
