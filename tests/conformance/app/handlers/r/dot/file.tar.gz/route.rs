//! `/r/dot/file.tar.gz`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/dot/file.tar.gz")
}

waypost::export!(get);
