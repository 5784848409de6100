//! `/n/forbidden`: the reference app has no `authInterrupts`, so that the call itself is an error there. It
//! stands for a call that its app does not offer.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::anyhow!("`forbidden()` is not offered by this app").into())
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
