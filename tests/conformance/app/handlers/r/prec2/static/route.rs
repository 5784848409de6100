//! `/r/prec2/static`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/prec2/static")
}

waypost::export!(get);
