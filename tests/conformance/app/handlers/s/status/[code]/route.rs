//! `/s/status/[code]`: any status, without a body.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    let code: u16 = ctx.params.get("code").unwrap_or_default().parse()?;
    Ok(Response::new(()).with_status(code))
}

waypost::export!(get);
