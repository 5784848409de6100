//! `/n/redirect-latin1`: a redirect to a path with Latin-1 characters.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/café"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
