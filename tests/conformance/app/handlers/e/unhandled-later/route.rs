//! `/e/unhandled-later`: a failure after the response has no effect on clients.

use std::time::Duration;

use waypost::After;
use waypost::time::sleep;

async fn get(after: After) -> &'static str {
    after.run(async {
        sleep(Duration::from_millis(10)).await;
        Err(anyhow::anyhow!("nobody handles this").into())
    });
    "ok"
}

waypost::export!(get);
