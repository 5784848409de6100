//! `/c/static-redirect`: a cached redirect.

use waypost::{Result, redirect};

async fn get() -> Result {
    Err(redirect("/target"))
}

waypost::export!(get; cache());
