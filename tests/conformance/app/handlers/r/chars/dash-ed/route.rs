//! `/r/chars/dash-ed`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/dash-ed")
}

waypost::export!(get);
