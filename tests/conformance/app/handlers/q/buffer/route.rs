//! `/q/buffer`: the body as an array buffer: its length, and the hex of its first 64 bytes.

use serde_json::{Value, json};
use waypost::{Json, Request, Result};

async fn post(req: Request) -> Result<Json<Value>> {
    let body = req.bytes().await?;
    let hex: String = body
        .iter()
        .take(64)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Json(json!({ "length": body.len(), "hex": hex })))
}

waypost::export!(post);
