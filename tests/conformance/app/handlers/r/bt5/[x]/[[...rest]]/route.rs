//! `/r/bt5/[x]/[[...rest]]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/bt5/[x]/[[...rest]]", ctx.params)
}

waypost::export!(get);
