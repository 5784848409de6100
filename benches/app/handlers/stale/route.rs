//! `/stale`: a short text that takes as long to make as it stays fresh, so that it is always stale.

use std::time::Duration;

use waypost::time::sleep;

async fn get() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "Hello, world!"
}

waypost::export!(get; cache(revalidate = 1));
