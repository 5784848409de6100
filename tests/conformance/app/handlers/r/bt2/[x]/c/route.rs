//! `/r/bt2/[x]/c`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/bt2/[x]/c", ctx.params)
}

waypost::export!(get);
