//! `/s/next-redirect-same`: a redirect to another path of the URL that the client asked for.

use waypost::{Request, Response, Result};

async fn get(req: Request) -> Result {
    Response::redirect(req.url().join("/r/static?from=x")?, 307)
}

waypost::export!(get);
