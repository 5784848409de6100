//! `/s/cookie-next-response`: cookies of the response.

use serde_json::json;
use waypost::cookies::Cookie;
use waypost::{Response, Result};

async fn get() -> Result {
    let mut response = Response::json(&json!({ "ok": true }))?
        .with_cookie(("a", "1"))
        .with_cookie(Cookie::new("b", "2").http_only().path("/b"));
    response.cookies().delete("c")?;
    Ok(response)
}

waypost::export!(get);
