//! `/r/prec/[...rest]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/prec/[...rest]", ctx.params)
}

waypost::export!(get);
