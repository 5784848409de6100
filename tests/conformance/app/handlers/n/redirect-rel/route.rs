//! `/n/redirect-rel`: a redirect to a relative path.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("sub/path"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
