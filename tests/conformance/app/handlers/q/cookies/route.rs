//! `/q/cookies`: the cookies of the request, read from the request and with `cookies()`.

use serde_json::{Value, json};
use waypost::cookies::Cookies;
use waypost::{Context, Json, Request};

async fn get(req: Request, ctx: Context) -> Json<Value> {
    let cookies = req.cookies();
    let all_a = cookies.get_all("a");
    Json(json!({
        "request": pairs(&cookies),
        "hook": pairs(ctx.cookies()),
        "get_a": cookies.get("a").map(|a| a.value().to_owned()),
        "all_a": all_a.iter().map(|a| a.value()).collect::<Vec<_>>(),
        "has_a": cookies.has("a"),
        "size": cookies.all().len(),
        "header": req.header("cookie"),
    }))
}

fn pairs(cookies: &Cookies) -> Vec<(String, String)> {
    let all = cookies.all();
    all.iter()
        .map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned()))
        .collect()
}

waypost::export!(get);
