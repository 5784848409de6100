//! `/n/redirect-unicode`: a redirect to a path with characters beyond Latin-1.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/café/✓"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
