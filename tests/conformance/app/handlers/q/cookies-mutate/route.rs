//! `/q/cookies-mutate`: cookies are changed on the request, and then with `cookies()`.

use serde_json::{Value, json};
use waypost::cookies::Cookies;
use waypost::{Context, Json, Request, Result};

async fn get(mut req: Request, ctx: Context) -> Result<Json<Value>> {
    req.cookies_mut().set("a", "2")?.delete("b");
    let jar = ctx.cookies();
    let hook_before = value(jar, "a");
    jar.set(("a", "3"))?.delete("b")?;
    Ok(Json(json!({
        "req_set": value(&req.cookies(), "a"),
        "req_has_b": req.cookies().has("b"),
        "req_header": req.header("cookie"),
        "hook_before": hook_before,
        "hook_after": value(jar, "a"),
        "hook_has_b": jar.has("b"),
        // Deleting a cookie expires it.
        "hook_b": jar.get("b").map(|b| json!({
            "name": b.name(),
            "value": b.value(),
            "expires": "1970-01-01T00:00:00.000Z",
            "path": b.path_attribute(),
        })),
    })))
}

fn value(cookies: &Cookies, name: &str) -> Option<String> {
    cookies.get(name).map(|cookie| cookie.value().to_owned())
}

waypost::export!(get);
