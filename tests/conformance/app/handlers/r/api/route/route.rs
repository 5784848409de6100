//! `/r/api/route`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/api/route")
}

waypost::export!(get);
