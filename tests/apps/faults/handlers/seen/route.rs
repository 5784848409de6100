//! `/seen`: what a handler sees of a request.

use std::collections::BTreeMap;

use waypost::{Json, Request};

async fn get(req: Request) -> Json<serde_json::Value> {
    let text =
        |value: &waypost::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<_, _> = req
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    Json(serde_json::json!({ "url": req.url().as_str(), "headers": headers }))
}

async fn post(req: Request) -> waypost::Result<String> {
    Ok(req.bytes().await?.len().to_string())
}

waypost::export!(get, post);
