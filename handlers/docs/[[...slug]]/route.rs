//! `/docs/[[...slug]]`: any number of segments, including none.

use waypost::{Context, Request};

#[derive(serde::Deserialize)]
struct Params {
    slug: Option<Vec<String>>,
}

async fn get(_req: Request, ctx: Context<Params>) -> String {
    match ctx.params.slug {
        Some(slug) => format!("The page {}", slug.join(" / ")),
        None => "The table of contents".to_owned(),
    }
}

waypost::export!(get);
