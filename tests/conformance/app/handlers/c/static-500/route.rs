//! `/c/static-500`: an id with the status 500.

use waypost::{Response, Result};

async fn get() -> Result {
    Ok(Response::json(&ids::fresh())?.with_status(500))
}

waypost::export!(get; cache());
