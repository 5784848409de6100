//! `/r/chars/semi;x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/semi;x")
}

waypost::export!(get);
