//! `/r/chars/colon:x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/colon:x")
}

waypost::export!(get);
