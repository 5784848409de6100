//! `/items`: a list as JSON, and a request with a JSON body.

use catalog::Item;
use waypost::{Json, Request, Response, Result};

async fn get() -> Json<Vec<Item>> {
    Json(catalog::items())
}

async fn post(req: Request) -> Result {
    let item: Item = req.json().await?;
    Ok(Response::json(&item)?.with_status(201))
}

waypost::export!(get, post);
