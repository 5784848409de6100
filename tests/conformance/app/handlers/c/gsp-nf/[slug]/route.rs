//! `/c/gsp-nf/[slug]`: a cached handler that ends, for some paths, without a page.

use serde_json::Value;
use waypost::{Context, Json, Result, not_found, redirect};

async fn get(ctx: Context) -> Result<Json<Value>> {
    let slug = ctx.params.get("slug").unwrap_or_default();
    match slug.get(..2) {
        Some("nf") => Err(not_found()),
        Some("re") => Err(redirect("/target")),
        Some("er") => Err(anyhow::anyhow!("thrown").into()),
        _ => Ok(ids::get_slug(ctx).await),
    }
}

waypost::export!(get; cache());
