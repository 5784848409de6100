//! `/s/next-redirect/[status]`: a redirect with a status, which defaults to 307 in Next.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    let url = "https://example.com/x";
    match ctx.params.get("status").unwrap_or_default() {
        "default" => Response::redirect(url, 307),
        "init" => Ok(Response::redirect(url, 303)?
            .with_header("x-a", "1")
            .with_header("set-cookie", "k=v")),
        status => Response::redirect(url, status.parse()?),
    }
}

waypost::export!(get, post = get);
