//! `/.well-known/thing`

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/.well-known/thing")
}

waypost::export!(get);
