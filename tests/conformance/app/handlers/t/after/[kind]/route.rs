//! `/t/after/[kind]`: work after the response, for each way in which a handler can end.

use std::time::Duration;

use journal::note;
use waypost::cookies::Cookies;
use waypost::time::sleep;
use waypost::{Context, Result, not_found, redirect};

async fn get(ctx: Context) -> Result<&'static str> {
    let kind = ctx.params.get("kind").unwrap_or_default().to_owned();
    ctx.after(later(kind.clone(), ctx.cookies().clone()));
    match kind.as_str() {
        "order" => {
            ctx.after(note("second"));
            ctx.after(note("third"));
        }
        "nested" => {
            let inside = ctx.clone();
            ctx.after(async move {
                inside.after(note("inner"));
                note("outer").await
            });
        }
        "promise" => ctx.after(async {
            sleep(Duration::from_millis(10)).await;
            note("promise").await
        }),
        _ => {}
    }
    note(format!("handler:{kind}")).await?;
    match kind.as_str() {
        "redirect" => Err(redirect("/target")),
        "notfound" => Err(not_found()),
        "throw" => Err(anyhow::anyhow!("thrown").into()),
        _ => Ok("ok"),
    }
}

async fn later(kind: String, cookies: Cookies) -> Result<()> {
    sleep(Duration::from_millis(60)).await;
    note(format!("after:{kind}")).await?;
    match kind.as_str() {
        "cookie-read" => match cookies.get("a") {
            Some(a) => note(format!("read:{}", a.value())).await,
            None => note("read:undefined").await,
        },
        "cookie-write" => match cookies.set(("late", "1")) {
            Ok(_) => note("write-ok").await,
            Err(_) => note("write-error").await,
        },
        "after-throw" => Err(anyhow::anyhow!("thrown after the response").into()),
        _ => Ok(()),
    }
}

waypost::export!(get, post = get);
