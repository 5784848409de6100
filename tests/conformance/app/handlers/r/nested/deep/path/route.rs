//! `/r/nested/deep/path`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/nested/deep/path")
}

waypost::export!(get);
