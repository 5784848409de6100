//! `/upload`: streams the request's body back.

use waypost::{Body, Request};

async fn post(req: Request) -> Body {
    req.body()
}

waypost::export!(post);
