//! `/echo`: JSON, parsed and serialised again.

use waypost::Json;

async fn post(body: Json<serde_json::Value>) -> Json<serde_json::Value> {
    body
}

waypost::export!(post);
