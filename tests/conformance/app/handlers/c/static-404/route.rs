//! `/c/static-404`: an id with the status 404.

use waypost::{Response, Result};

async fn get() -> Result {
    Ok(Response::json(&ids::fresh())?.with_status(404))
}

waypost::export!(get; cache());
