//! `/n/redirect-caught`: an early end is an ordinary `Err`, which a handler can inspect.

use serde_json::{Value, json};
use waypost::response::IntoResponse;
use waypost::{Json, Result, redirect};

async fn get() -> Result<Json<Value>> {
    let signal = redirect("/target").into_response();
    let location = signal.headers()["location"].to_str()?;
    let digest = format!(
        "NEXT_REDIRECT;replace;{location};{};",
        signal.status().as_u16()
    );
    Ok(Json(
        json!({ "name": "Error", "message": "NEXT_REDIRECT", "digest": digest }),
    ))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
