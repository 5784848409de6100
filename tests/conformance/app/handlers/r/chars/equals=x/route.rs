//! `/r/chars/equals=x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/equals=x")
}

waypost::export!(get);
