//! `/s/cookie-delete/[kind]`: ways to delete a cookie.

use waypost::cookies::{Cookie, SameSite};
use waypost::{Context, Result, not_found};

async fn get(ctx: Context) -> Result<&'static str> {
    let cookies = ctx.cookies();
    let a = || Cookie::new("a", "");
    match ctx.params.get("kind").unwrap_or_default() {
        "name" => cookies.delete("a")?,
        "object" => cookies.delete(a().path("/p").domain("example.com"))?,
        "object-plain" => cookies.delete(a())?,
        "object-secure" => cookies.delete(a().secure().http_only().same_site(SameSite::Lax))?,
        "missing" => cookies.delete("nope")?,
        "set-then-delete" => cookies.set(("a", "1"))?.delete("a")?,
        "delete-then-set" => cookies.delete("a")?.set(("a", "1"))?,
        "set-max-age-0" => cookies.set(a().max_age(0))?,
        // There is no method that deletes all cookies.
        "clear" => cookies.set(("noclear", "1"))?,
        _ => return Err(not_found()),
    };
    Ok("ok")
}

waypost::export!(get);
