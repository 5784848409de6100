//! `/s/cookie-both`: one cookie set with a `Set-Cookie` header, and one with `cookies()`.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    ctx.cookies().set(("jar", "1"))?;
    Ok(Response::new("ok").with_header("set-cookie", "hdr=2; Path=/x"))
}

waypost::export!(get);
