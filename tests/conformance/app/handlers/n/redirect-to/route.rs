//! `/n/redirect-to`: a redirect to where the client says. A real app checks that first.

use waypost::{Request, Result, redirect};

async fn get(req: Request) -> Result {
    let params = req.search_params();
    Err(redirect(params.get("to").unwrap_or("/none")))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
