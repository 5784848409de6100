//! `/slow`: answers after a minute.

use std::time::Duration;

async fn get() -> &'static str {
    waypost::time::sleep(Duration::from_secs(60)).await;
    "at last"
}

waypost::export!(get);
