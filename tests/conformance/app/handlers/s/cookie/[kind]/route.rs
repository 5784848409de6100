//! `/s/cookie/[kind]`: names, values and attributes of cookies.

use std::time::{Duration, SystemTime};

use serde_json::json;
use waypost::cookies::{Cookie, Priority, SameSite};
use waypost::{Context, Result, not_found};

async fn get(ctx: Context) -> Result<&'static str> {
    let cookies = ctx.cookies();
    let a = || Cookie::new("a", "1");
    let with_value = |value: &str| cookies.set(("a", value));
    match ctx.params.get("kind").unwrap_or_default() {
        "simple" => cookies.set(("a", "1"))?,
        "object" | "http-only-false" | "same-site-false" => cookies.set(a())?,

        "path" => cookies.set(a().path("/sub"))?,
        "path-empty" => cookies.set(a().path(""))?,
        "domain" => cookies.set(a().domain("example.com"))?,
        "max-age" => cookies.set(a().max_age(60))?,
        "max-age-0" => cookies.set(a().max_age(0))?,
        "max-age-neg" => cookies.set(a().max_age(-1))?,
        // `Max-Age` is in whole seconds.
        "max-age-float" => cookies.set(a().max_age(1))?,
        "expires" | "expires-number" => cookies.set(a().expires(in_2030()))?,
        "expires-0" => cookies.set(a().expires(SystemTime::UNIX_EPOCH))?,
        "http-only" => cookies.set(a().http_only())?,
        "secure" => cookies.set(a().secure())?,
        "same-site-lax" => cookies.set(a().same_site(SameSite::Lax))?,
        "same-site-strict" | "same-site-true" => cookies.set(a().same_site(SameSite::Strict))?,
        "same-site-none" => cookies.set(a().same_site(SameSite::None))?,
        "partitioned" => cookies.set(a().partitioned().secure())?,
        "priority-low" => cookies.set(a().priority(Priority::Low))?,
        "priority-medium" => cookies.set(a().priority(Priority::Medium))?,
        "priority-high" => cookies.set(a().priority(Priority::High))?,
        "everything" => cookies.set(everything())?,

        "value-space" => with_value("x y")?,
        "value-semi" => with_value("x;y=z,w")?,
        "value-unicode" => with_value("é✓")?,
        "value-quote" => with_value("\"q\"")?,
        "value-percent" => with_value("100%")?,
        "value-equals" => with_value("b=c==")?,
        "value-json" => with_value(&json!({ "k": [1, "x"] }).to_string())?,
        "value-empty" => with_value("")?,
        "value-crlf" => with_value("x\r\nSet-Cookie: evil=1")?,
        "value-safe-symbols" => with_value("!#$&'()*+-./:<>?@[]^_`{|}~")?,

        "name-space" => cookies.set(("a b", "1"))?,
        "name-unicode" => cookies.set(("é", "1"))?,
        "name-semi" => cookies.set(("a;b", "1"))?,
        "name-empty" => cookies.set(("", "1"))?,
        "path-inject" => cookies.set(a().path("/x; HttpOnly"))?,
        "host-prefix" => cookies.set(Cookie::new("__Host-a", "1").secure().path("/"))?,

        "two" => cookies.set(("a", "1"))?.set(("b", "2"))?,
        "same-twice" => cookies.set(("a", "1"))?.set(("a", "2"))?,
        "same-diff-path" => cookies
            .set(a().path("/x"))?
            .set(Cookie::new("a", "2").path("/y"))?,
        "same-diff-path2" => cookies
            .set(a().path("/x"))?
            .set(("b", "z"))?
            .set(Cookie::new("a", "2").path("/y"))?,
        _ => return Err(not_found()),
    };
    Ok("ok")
}

fn everything() -> Cookie {
    Cookie::new("sid", "v")
        .path("/p")
        .domain("example.com")
        .max_age(10)
        .expires(in_2030())
        .http_only()
        .secure()
        .same_site(SameSite::Lax)
        .partitioned()
        .priority(Priority::High)
}

fn in_2030() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000)
}

waypost::export!(get);
