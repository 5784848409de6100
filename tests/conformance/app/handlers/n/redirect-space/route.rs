//! `/n/redirect-space`: a redirect to a path with a space.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/a b/c"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
