//! `/upload`: gives back what it is sent, as it comes.

use waypost::{Body, Request};

async fn post(req: Request) -> Body {
    req.body()
}

waypost::export!(post);
