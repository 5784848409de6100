//! `/r/chars/under_score`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/chars/under_score")
}

waypost::export!(get);
