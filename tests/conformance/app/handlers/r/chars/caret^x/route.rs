//! `/r/chars/caret^x`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/caret^x")
}

waypost::export!(get);
