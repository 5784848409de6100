//! `/n/unauthorized`: without `authInterrupts`, this call is an error in the reference app. It represents a call that
//! an app has not enabled.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::anyhow!("`unauthorized()` is not offered by this app").into())
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
