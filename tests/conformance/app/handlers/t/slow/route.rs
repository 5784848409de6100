//! `/t/slow`: takes its time, and then notes whether the client was still there.

use std::time::Duration;

use journal::note;
use waypost::{Context, Result, time::sleep};

async fn get(ctx: Context) -> Result<&'static str> {
    sleep(Duration::from_millis(400)).await;
    note(format!("slow-done aborted={}", ctx.signal().is_aborted())).await?;
    Ok("slow")
}

waypost::export!(get);
