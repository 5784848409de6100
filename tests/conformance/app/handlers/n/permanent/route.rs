//! `/n/permanent`: a permanent redirect.

use waypost::{Result, permanent_redirect};

async fn get() -> Result {
    Err(permanent_redirect("/target"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
