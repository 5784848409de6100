//! `/r/chars/star*x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/star*x")
}

waypost::export!(get);
