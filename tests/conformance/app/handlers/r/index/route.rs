//! `/r/index`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/index")
}

waypost::export!(get);
