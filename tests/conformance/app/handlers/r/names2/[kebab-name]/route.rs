//! `/r/names2/[kebab-name]`

use echo::Echo;
use waypost::{Context, Json};

async fn get(ctx: Context) -> Json<Echo> {
    echo::dynamic("/r/names2/[kebab-name]", ctx.params)
}

waypost::export!(get);
