//! `/r/prec2/[[...rest]]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/prec2/[[...rest]]", ctx.params)
}

waypost::export!(get);
