//! `/s/cookie-both`: a cookie by hand, and one in the jar.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    ctx.cookies().set(("jar", "1"))?;
    Ok(Response::new("ok").with_header("set-cookie", "hdr=2; Path=/x"))
}

waypost::export!(get);
