//! `/wait`: a response after 50 ms, as if from a database.

use std::time::Duration;

use waypost::time::sleep;

async fn get() -> &'static str {
    sleep(Duration::from_millis(50)).await;
    "waited"
}

waypost::export!(get);
