//! `/r/dyn/[slug]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/dyn/[slug]", ctx.params)
}

waypost::export!(get);
