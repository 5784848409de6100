//! `/c/connection`: a handler that keeps each of its responses out of the cache.

use waypost::{Response, Result};

async fn get() -> Result {
    Ok(Response::json(&ids::fresh())?.no_store())
}

waypost::export!(get; cache(revalidate = 60));
