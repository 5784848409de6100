//! `/s/cookie-both-order`: a `Set-Cookie` header and `cookies()` set the same cookie.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    ctx.cookies().set(("z", "1"))?.set(("b", "2"))?;
    Ok(Response::new("ok")
        .with_appended_header("set-cookie", "m=3")
        .with_appended_header("set-cookie", "b=4"))
}

waypost::export!(get);
