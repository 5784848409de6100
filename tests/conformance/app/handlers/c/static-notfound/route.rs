//! `/c/static-notfound`: a cached 404.

use waypost::{Result, not_found};

async fn get() -> Result {
    Err(not_found())
}

waypost::export!(get; cache());
