//! `/q/url/[[...rest]]`: the requested URL, and its parts.

use serde_json::{Value, json};
use waypost::url::Position;
use waypost::{Json, Request};

async fn get(req: Request) -> Json<Value> {
    let url = req.url();
    let params = req.search_params();
    Json(json!({
        "url": url.as_str(),
        "href": url.as_str(),
        "origin": url.origin().ascii_serialization(),
        "protocol": format!("{}:", url.scheme()),
        "host": &url[Position::BeforeHost..Position::AfterPort],
        "hostname": url.host_str(),
        "port": &url[Position::BeforePort..Position::AfterPort],
        "pathname": url.path(),
        "search": url.query().filter(|query| !query.is_empty()).map_or_else(String::new, |query| format!("?{query}")),
        "hash": url.fragment().unwrap_or_default(),
        "basePath": "",
        "entries": params.iter().collect::<Vec<_>>(),
        "toString": params.to_string(),
    }))
}

waypost::export!(get);
