//! `/n/redirect-cookie`: a cookie with a redirect.

use waypost::{Context, Result, redirect};

async fn get(ctx: Context) -> Result {
    ctx.cookies().set(("r", "1"))?;
    Err(redirect("/target"))
}

waypost::export!(get, post = get, put = get, patch = get, delete = get);
