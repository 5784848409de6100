//! `/cookies/jar`: cookies read, set and deleted with `ctx.cookies()`.

use waypost::{Context, Request, Result};

async fn get(_req: Request, ctx: Context) -> Result<String> {
    let cookies = ctx.cookies();
    let a = cookies.get("a").map(|cookie| cookie.value().to_owned());
    cookies.set(("b", "1"))?;
    cookies.delete("c")?;
    Ok(format!("a is {}", a.as_deref().unwrap_or("not set")))
}

waypost::export!(get);
