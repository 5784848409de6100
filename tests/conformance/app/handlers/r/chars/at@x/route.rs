//! `/r/chars/at@x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/at@x")
}

waypost::export!(get);
