//! `/s/redirect/[status]`: a redirect with a status, which defaults to 302 on the Web.

use waypost::{Context, Response, Result};

async fn get(ctx: Context) -> Result {
    match ctx.params.get("status").unwrap_or_default() {
        "default" => Response::redirect("https://example.com/x?y=1#z", 302),
        status => Response::redirect("https://example.com/x", status.parse()?),
    }
}

waypost::export!(get, post = get);
