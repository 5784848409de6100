//! Not a route: a folder whose name begins with `_` is private, with everything below it.

use waypost::Json;

async fn get() -> Json<echo::Echo> {
    echo::plain("/r/_private/sub")
}

waypost::export!(get);
