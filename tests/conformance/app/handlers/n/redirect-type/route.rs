//! `/n/redirect-type`: a redirect that replaces the entry in the history, as every redirect of a server does.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/target"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
