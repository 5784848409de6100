//! `/s/next-redirect-same`: a redirect to another path of the requested URL.

use waypost::{Request, Response, Result};

async fn get(req: Request) -> Result {
    Response::redirect(req.url().join("/r/static?from=x")?, 307)
}

waypost::export!(get);
