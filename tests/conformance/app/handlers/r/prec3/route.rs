//! `/r/prec3`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/prec3")
}

waypost::export!(get);
