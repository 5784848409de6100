//! `/c/static-req`: what a cached handler sees of the request.

use serde_json::{Value, json};
use waypost::{Context, Json, Request};

async fn get(req: Request, ctx: Context) -> Json<Value> {
    let url = req.url();
    let headers: Vec<_> = req.header_texts().map(|(name, _)| name).collect();
    Json(json!({
        "search": url.query().map_or_else(String::new, |query| format!("?{query}")),
        "pathname": url.path(),
        "entries": req.search_params().iter().collect::<Vec<_>>(),
        "headers": headers,
        "cookies": req.cookies().all().len(),
        "hookCookies": ctx.cookies().all().len(),
        // Unlike in Next, the request is the only source of headers.
        "hookHeaders": headers,
        "method": req.method().as_str(),
    }))
}

waypost::export!(get; cache());
