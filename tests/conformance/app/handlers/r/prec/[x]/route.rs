//! `/r/prec/[x]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/prec/[x]", ctx.params)
}

waypost::export!(get);
