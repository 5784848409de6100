//! `/s/cookie-post`: a cookie with a 204.

use waypost::http::StatusCode;
use waypost::{Context, Result};

async fn post(ctx: Context) -> Result<StatusCode> {
    ctx.cookies().set(("p", "1"))?;
    Ok(StatusCode::NO_CONTENT)
}

waypost::export!(post);
