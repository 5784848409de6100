//! `/r/prec2/[x]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/prec2/[x]", ctx.params)
}

waypost::export!(get);
