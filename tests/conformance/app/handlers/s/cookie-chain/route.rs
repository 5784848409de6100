//! `/s/cookie-chain`: cookies set in a chain of calls, and all of them as text.

use serde_json::{Value, json};
use waypost::{Context, Json, Result};

async fn get(ctx: Context) -> Result<Json<Value>> {
    let cookies = ctx.cookies().set(("a", "1"))?.set(("b", "2"))?;
    Ok(Json(json!({ "chain": true, "str": cookies.to_string() })))
}

waypost::export!(get);
