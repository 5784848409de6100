//! `/r/chars/bang!`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/bang!")
}

waypost::export!(get);
