//! `/q/json`: the body as JSON. An invalid body is a 400 automatically.

use serde_json::{Value, json};
use waypost::Json;

async fn post(Json(value): Json<Value>) -> Json<Value> {
    Json(json!({ "type": kind(&value), "value": value }))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

waypost::export!(
    get = post,
    post,
    put = post,
    patch = post,
    delete = post,
    options = post
);
