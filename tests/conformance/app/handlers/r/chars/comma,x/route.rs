//! `/r/chars/comma,x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/comma,x")
}

waypost::export!(get);
