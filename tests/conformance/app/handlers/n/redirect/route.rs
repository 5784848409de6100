//! `/n/redirect`: a temporary redirect.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/target"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
