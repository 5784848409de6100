//! `/`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/")
}

waypost::export!(get);
