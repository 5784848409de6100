//! `/q/query`: the query parameters.

use serde_json::{Value, json};
use waypost::{Json, Request};

async fn get(req: Request) -> Json<Value> {
    let params = req.search_params();
    let query = req.url().query().filter(|query| !query.is_empty());
    Json(json!({
        "search": query.map_or_else(String::new, |query| format!("?{query}")),
        "get_a": params.get("a"),
        "all_a": params.get_all("a").collect::<Vec<_>>(),
        "has_a": params.has("a"),
        "entries": params.iter().collect::<Vec<_>>(),
    }))
}

waypost::export!(get);
