//! `/r/dot/[slug]/data.json`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/dot/[slug]/data.json", ctx.params)
}

waypost::export!(get);
