//! `/r/opt/[[...slug]]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/opt/[[...slug]]", ctx.params)
}

waypost::export!(get);
