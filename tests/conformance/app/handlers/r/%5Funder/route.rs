//! `/r/%5Funder`: the folder of the segment `_under`.

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/%5Funder")
}

waypost::export!(get);
