//! `/r/bt5/[x]/list`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/bt5/[x]/list", ctx.params)
}

waypost::export!(get);
