//! `/n/redirect-empty`: a redirect to nowhere.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect(""))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
