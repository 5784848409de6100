//! `/redirect`: redirects the client.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/hello"))
}

waypost::export!(get);
