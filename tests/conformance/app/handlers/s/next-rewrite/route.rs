//! `/s/next-rewrite`: a response that only middleware may return is an error.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::anyhow!("a route is the end of the road: it can't rewrite a request").into())
}

waypost::export!(get);
