//! `/r/prec/static`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/prec/static")
}

waypost::export!(get);
