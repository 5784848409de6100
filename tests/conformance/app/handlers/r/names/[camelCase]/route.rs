//! `/r/names/[camelCase]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/names/[camelCase]", ctx.params)
}

waypost::export!(get);
