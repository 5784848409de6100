//! `/r/bt2/b/d`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/bt2/b/d")
}

waypost::export!(get);
