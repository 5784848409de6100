//! `/q/json-safe`: the body as JSON; the handler deals with an invalid one.

use serde_json::{Value, json};
use waypost::error::RequestError;
use waypost::{Request, Response, Result};

async fn post(req: Request) -> Result {
    match req.json::<Value>().await {
        Ok(value) => Response::json(&json!({ "type": kind(&value), "value": value })),
        Err(RequestError::Json(_)) => {
            Ok(Response::json(&json!({ "error": "SyntaxError" }))?.with_status(400))
        }
        Err(error) => Err(error.into()),
    }
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

waypost::export!(post);
