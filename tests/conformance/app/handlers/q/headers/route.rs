//! `/q/headers`: headers of the request, by name and by prefix.

use serde_json::{Value, json};
use waypost::{Json, Request};

async fn get(req: Request) -> Json<Value> {
    let mut headers: Vec<_> = req
        .header_texts()
        // The host adds headers: Next adds `x-forwarded-*`, and Waypost also an id.
        .filter(|(name, _)| name.starts_with("x-") && *name != "x-request-id")
        .collect();
    headers.sort_unstable();
    let (forwarded, others): (Vec<_>, Vec<_>) = headers
        .into_iter()
        .partition(|(name, _)| name.starts_with("x-forwarded"));
    Json(json!({
        "upper": req.header("X-Test"),
        "lower": req.header("x-test"),
        "has": req.headers().contains_key("X-TEST"),
        "missing": req.header("x-missing"),
        // Unlike in Next, the request is the only source of headers.
        "hook": req.header("X-Test"),
        "referer": req.header("referer"),
        "host": req.header("host"),
        "ua": req.header("user-agent"),
        "x": others,
        "forwarded": forwarded,
        "te": req.header("transfer-encoding"),
        "cl": req.header("content-length"),
        "connection": req.header("connection"),
    }))
}

waypost::export!(get, post = get);
