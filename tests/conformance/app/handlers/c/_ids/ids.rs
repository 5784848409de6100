//! Responses with an id that differs for each run of a handler, which shows whether a response was made again.

use std::hash::{BuildHasher, Hasher, RandomState};

use serde_json::{Value, json};
use waypost::{Context, Json};

/// Returns a new id.
pub fn id() -> String {
    // The standard library seeds each state with random numbers.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// Builds a JSON object with a new id.
pub fn fresh() -> Value {
    json!({ "id": id() })
}

/// Responds with a new id.
pub async fn get() -> Json<Value> {
    Json(fresh())
}

/// Responds with the param `slug` and a new id.
pub async fn get_slug(ctx: Context) -> Json<Value> {
    Json(json!({ "slug": ctx.params.get("slug"), "id": id() }))
}
