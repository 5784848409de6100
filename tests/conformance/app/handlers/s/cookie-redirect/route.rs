//! `/s/cookie-redirect`: a cookie with a redirect.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    ctx.cookies().set(("p", "1"))?;
    Response::redirect("https://example.com/", 302)
}

waypost::export!(get);
