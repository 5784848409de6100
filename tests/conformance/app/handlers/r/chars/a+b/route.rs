//! `/r/chars/a+b`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/a+b")
}

waypost::export!(get);
