//! `/blog/[...slug]`: one segment or more.

use waypost::{Context, Json, Request};

#[derive(serde::Deserialize)]
struct Params {
    slug: Vec<String>,
}

async fn get(_req: Request, ctx: Context<Params>) -> Json<Vec<String>> {
    Json(ctx.params.slug)
}

waypost::export!(get);
