//! `/json`: gives back what it is sent.

use waypost::Json;

async fn post(body: Json<serde_json::Value>) -> Json<serde_json::Value> {
    body
}

waypost::export!(post);
