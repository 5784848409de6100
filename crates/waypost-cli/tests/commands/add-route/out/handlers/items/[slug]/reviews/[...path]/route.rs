//! GET, POST `/items/[slug]/reviews/[...path]`.

use waypost::{Context, Request, Response, Result};

#[derive(serde::Deserialize)]
struct Params {
    slug: String,
    path: Vec<String>,
}

async fn get(_req: Request, ctx: Context<Params>) -> Result<Response> {
    let params = ctx.params;
    let mut text = String::new();
    text += &format!("slug: {}\n", params.slug);
    text += &format!("path: {}\n", params.path.join("/"));
    Ok(Response::new(text))
}

async fn post(_req: Request, ctx: Context<Params>) -> Result<Response> {
    let params = ctx.params;
    let mut text = String::new();
    text += &format!("slug: {}\n", params.slug);
    text += &format!("path: {}\n", params.path.join("/"));
    Ok(Response::new(text))
}

waypost::export!(get, post);
