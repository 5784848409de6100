//! `/items/[slug]`: a param, a query, one cookie read and one set.

use waypost::{Context, Json, Request, Result};

#[derive(serde::Deserialize)]
struct Params {
    slug: String,
}

async fn get(req: Request, ctx: Context<Params>) -> Result<Json<serde_json::Value>> {
    let page: u32 = req.query("page")?.unwrap_or(1);
    let visits = ctx
        .cookies()
        .get("visits")
        .and_then(|cookie| cookie.value().parse().ok());
    let visits = visits.unwrap_or(0) + 1;
    ctx.cookies().set(("visits", visits.to_string()))?;
    let slug = ctx.params.slug;
    Ok(Json(
        serde_json::json!({ "slug": slug, "page": page, "visits": visits }),
    ))
}

waypost::export!(get);
