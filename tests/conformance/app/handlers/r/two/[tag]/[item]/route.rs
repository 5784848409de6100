//! `/r/two/[tag]/[item]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/two/[tag]/[item]", ctx.params)
}

waypost::export!(get);
