//! `/r/mid/[a]/fixed/[b]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/mid/[a]/fixed/[b]", ctx.params)
}

waypost::export!(get);
