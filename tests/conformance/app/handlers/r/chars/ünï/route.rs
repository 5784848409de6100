//! `/r/chars/ünï`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/ünï")
}

waypost::export!(get);
