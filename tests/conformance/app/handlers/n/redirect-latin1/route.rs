//! `/n/redirect-latin1`: a redirect to a path beyond ASCII.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/café"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
