//! `/s/cookie-both-order`: a cookie by hand has the name of one in the jar.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    ctx.cookies().set(("z", "1"))?.set(("b", "2"))?;
    Ok(Response::new("ok")
        .with_appended_header("set-cookie", "m=3")
        .with_appended_header("set-cookie", "b=4"))
}

waypost::export!(get);
