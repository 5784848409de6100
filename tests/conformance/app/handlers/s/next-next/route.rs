//! `/s/next-next`: a response that only middleware may return is an error.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::anyhow!("a route is the end of the road: it can't pass a request on").into())
}

waypost::export!(get);
