//! No route: a folder whose name begins with `_` is private, and so is what is below.

use waypost::Json;

async fn get() -> Json<echo::Echo> {
    echo::plain("/r/_private")
}

waypost::export!(get);
