//! `/n/redirect-to`: a redirect to a location from the client. A real app must check it first.

use waypost::{Request, Result, redirect};

async fn get(req: Request) -> Result {
    let params = req.search_params();
    Err(redirect(params.get("to").unwrap_or("/none")))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
