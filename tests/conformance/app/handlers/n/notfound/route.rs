//! `/n/notfound`: a 404.

use waypost::{Result, not_found};

async fn get() -> Result {
    Err(not_found())
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
