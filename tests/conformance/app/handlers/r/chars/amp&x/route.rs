//! `/r/chars/amp&x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/amp&x")
}

waypost::export!(get);
