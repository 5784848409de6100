//! `/upload`: what is sent comes back, as it arrives.

use waypost::{Body, Request};

async fn post(req: Request) -> Body {
    req.body()
}

waypost::export!(post);
