//! `/r/Case`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/Case")
}

waypost::export!(get);
