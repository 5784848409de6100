//! `/q/form`: the fields and files of a form, in order.

use serde_json::{Value, json};
use waypost::form::{FormData, FormValue};
use waypost::Json;

async fn post(form: FormData) -> Json<Value> {
    let entries: Vec<_> = form
        .iter()
        .map(|(name, value)| (name, described(value)))
        .collect();
    Json(json!({ "entries": entries }))
}

fn described(value: &FormValue) -> Value {
    match value {
        FormValue::Text(text) => json!({ "kind": "text", "value": text }),
        FormValue::File(file) => json!({
            "kind": "file",
            "name": file.name,
            "type": file.media_type,
            "size": file.content.len(),
            "text": String::from_utf8_lossy(&file.content),
        }),
    }
}

waypost::export!(post);
