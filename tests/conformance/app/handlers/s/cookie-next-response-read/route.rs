//! `/s/cookie-next-response-read`: reads back the cookies of a response, and returns another response.

use serde_json::{Value, json};
use waypost::cookies::Cookie;
use waypost::{Json, Response, Result};

async fn get() -> Result<Json<Value>> {
    let cookies = Response::new(())
        .with_cookie(Cookie::new("a", "1").max_age(5))
        .cookies();
    let a = cookies.get("a");
    Ok(Json(json!({
        "name": a.as_ref().map(Cookie::name),
        "value": a.as_ref().map(Cookie::value),
        "maxAge": a.as_ref().and_then(Cookie::max_age_attribute),
        "path": a.as_ref().map(Cookie::path_attribute),
        "all": cookies.all().len(),
        "has": cookies.has("a"),
    })))
}

waypost::export!(get);
