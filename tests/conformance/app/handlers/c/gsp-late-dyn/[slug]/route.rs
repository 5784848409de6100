//! `/c/gsp-late-dyn/[slug]`: a cached handler that reads, for some paths, what only one client sent.

use serde_json::{Value, json};
use waypost::{Context, Json, Request, Result};

async fn get(req: Request, ctx: Context) -> Result<Json<Value>> {
    let slug = ctx.params.get("slug").unwrap_or_default();
    let mut body = json!({ "slug": slug, "id": ids::id() });
    match slug {
        "cookies" => body["n"] = json!(ctx.cookies().all().len()),
        "url" => body["url"] = json!(req.url().as_str()),
        "set" => {
            ctx.cookies().set(("a", "1"))?;
        }
        _ => {}
    }
    Ok(Json(body))
}

waypost::export!(get; cache());
