//! `/c/static-201`: an id with the status 201.

use waypost::{Response, Result};

async fn get() -> Result {
    Ok(Response::json(&ids::fresh())?.with_status(201))
}

waypost::export!(get; cache());
