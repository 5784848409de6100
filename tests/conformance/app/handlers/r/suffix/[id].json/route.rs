//! `/r/suffix/[id].json`: the whole name is literal.

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/suffix/[id].json")
}

waypost::export!(get);
