//! `/s/next-redirect-relative`: a redirect response needs an absolute URL.

use waypost::{Response, Result};

async fn get() -> Result {
    Response::redirect("/relative", 307)
}

waypost::export!(get);
