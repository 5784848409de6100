//! `/t/signal-normal`: logs an abort, which does not happen if the client receives the response.

use journal::note;
use waypost::Context;

async fn get(ctx: Context) -> &'static str {
    let signal = ctx.signal().clone();
    ctx.after(async move {
        match signal.is_aborted() {
            true => note("normal-abort").await,
            false => Ok(()),
        }
    });
    "ok"
}

waypost::export!(get);
