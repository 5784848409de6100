//! `/r/chars/pct%20x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/pct%20x")
}

waypost::export!(get);
