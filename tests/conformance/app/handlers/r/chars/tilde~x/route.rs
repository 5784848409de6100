//! `/r/chars/tilde~x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/tilde~x")
}

waypost::export!(get);
