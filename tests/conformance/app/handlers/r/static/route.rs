//! `/r/static`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/static")
}

waypost::export!(get);
