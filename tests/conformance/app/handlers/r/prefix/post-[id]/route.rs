//! `/r/prefix/post-[id]`: the whole name is literal.

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/prefix/post-[id]")
}

waypost::export!(get);
