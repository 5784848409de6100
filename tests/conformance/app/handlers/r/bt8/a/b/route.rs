//! `/r/bt8/a/b`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/bt8/a/b")
}

waypost::export!(get);
