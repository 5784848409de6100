//! `/r/rss.xml`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/rss.xml")
}

waypost::export!(get);
