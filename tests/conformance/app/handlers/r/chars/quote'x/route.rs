//! `/r/chars/quote'x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/quote'x")
}

waypost::export!(get);
