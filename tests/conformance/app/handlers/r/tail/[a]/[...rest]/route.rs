//! `/r/tail/[a]/[...rest]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/tail/[a]/[...rest]", ctx.params)
}

waypost::export!(get);
