//! `/n/redirect-type`: a redirect of type `replace`, which makes no difference on a server.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/target"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
