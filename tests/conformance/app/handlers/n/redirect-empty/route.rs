//! `/n/redirect-empty`: a redirect to an empty location.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect(""))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
