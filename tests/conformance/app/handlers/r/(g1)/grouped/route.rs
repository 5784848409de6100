//! `/r/(g1)/grouped`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/(g1)/grouped")
}

waypost::export!(get);
