//! `/t/slow`: responds slowly, and logs whether the client was still connected.

use std::time::Duration;

use journal::note;
use waypost::{Context, Result, time::sleep};

async fn get(ctx: Context) -> Result<&'static str> {
    sleep(Duration::from_millis(400)).await;
    note(format!("slow-done aborted={}", ctx.signal().is_aborted())).await?;
    Ok("slow")
}

waypost::export!(get);
