//! `/r/bt4/[x]/edit`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/bt4/[x]/edit", ctx.params)
}

waypost::export!(get);
