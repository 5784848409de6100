//! `/r/bt/[x]/c`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/bt/[x]/c", ctx.params)
}

waypost::export!(get);
