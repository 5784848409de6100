//! `/(top)/r/top-group`: the group adds no segment.

use echo::Echo;
use waypost::Json;

async fn get() -> Json<Echo> {
    echo::plain("/(top)/r/top-group")
}

waypost::export!(get);
