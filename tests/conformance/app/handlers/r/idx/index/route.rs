//! `/r/idx/index`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/r/idx/index")
}

waypost::export!(get);
