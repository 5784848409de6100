//! `/s/redirect-relative`: a redirect response needs an absolute URL.

use waypost::{Response, Result};

async fn get() -> Result {
    Response::redirect("/relative", 302)
}

waypost::export!(get);
