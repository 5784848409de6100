//! `/q/text`: the body as text. Its length is in UTF-16 code units, as in JavaScript.

use serde_json::{Value, json};
use waypost::http::Method;
use waypost::{Json, Request, Result};

async fn post(req: Request) -> Result<Json<Value>> {
    // As in Fetch, the body of a GET is null unless the client sent one. (Next drops it.)
    let without = matches!(*req.method(), Method::GET | Method::HEAD);
    let body_null = without && req.header("content-length").is_none();
    let text = req.text().await?;
    let units: Vec<_> = text.encode_utf16().collect();
    let cut = String::from_utf16_lossy(&units[..units.len().min(200)]);
    Ok(Json(
        json!({ "length": units.len(), "text": cut, "bodyNull": body_null }),
    ))
}

waypost::export!(get = post, post, delete = post, options = post);
