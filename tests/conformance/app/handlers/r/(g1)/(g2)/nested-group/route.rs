//! `/r/(g1)/(g2)/nested-group`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/(g1)/(g2)/nested-group")
}

waypost::export!(get);
