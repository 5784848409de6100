//! `/r/all/[...slug]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/all/[...slug]", ctx.params)
}

waypost::export!(get);
