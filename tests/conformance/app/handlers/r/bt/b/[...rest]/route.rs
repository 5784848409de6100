//! `/r/bt/b/[...rest]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/bt/b/[...rest]", ctx.params)
}

waypost::export!(get);
