//! `/seen`: what a handler sees of a request.

use std::collections::BTreeMap;

use waypost::{Json, Request};

async fn get(req: Request) -> Json<serde_json::Value> {
    let text =
        |value: &waypost::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let in_order: Vec<_> = req
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    let headers: BTreeMap<_, _> = in_order.iter().cloned().collect();
    Json(serde_json::json!({
        "url": req.url().as_str(),
        "authority": req.uri().authority().map(|authority| authority.as_str()),
        "headers": headers,
        "in_order": in_order,
    }))
}

async fn post(req: Request) -> waypost::Result<String> {
    Ok(req.bytes().await?.len().to_string())
}

waypost::export!(get, post);
