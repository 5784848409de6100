//! `/r/case-dyn/[Slug]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/case-dyn/[Slug]", ctx.params)
}

waypost::export!(get);
