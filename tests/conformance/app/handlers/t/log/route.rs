//! `/t/log`: the log of the other routes.

use serde_json::{Value, json};
use waypost::http::StatusCode;
use waypost::{Json, Result};

async fn get() -> Result<Json<Value>> {
    Ok(Json(json!({ "log": journal::lines().await? })))
}

async fn delete() -> Result<StatusCode> {
    journal::clear().await?;
    Ok(StatusCode::NO_CONTENT)
}

waypost::export!(get, delete);
