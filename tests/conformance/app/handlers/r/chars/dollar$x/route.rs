//! `/r/chars/dollar$x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/dollar$x")
}

waypost::export!(get);
