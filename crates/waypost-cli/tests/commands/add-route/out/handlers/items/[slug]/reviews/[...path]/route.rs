//! GET, POST `/items/[slug]/reviews/[...path]`.

use waypost::{Context, Request, Response, Result};

#[derive(serde::Deserialize)]
struct Params {
    slug: String,
    path: Vec<String>,
}

async fn get(_req: Request, ctx: Context<Params>) -> Result<Response> {
    let params = ctx.params;
    Ok(Response::new(format!(
        "slug: {}\npath: {}\n",
        params.slug,
        params.path.join("/")
    )))
}

async fn post(_req: Request, ctx: Context<Params>) -> Result<Response> {
    let params = ctx.params;
    Ok(Response::new(format!(
        "slug: {}\npath: {}\n",
        params.slug,
        params.path.join("/")
    )))
}

waypost::export!(get, post);
