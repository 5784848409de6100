//! `/trap`: panics.

use waypost::Request;

async fn get(req: Request) -> String {
    panic!("the trap was sprung by {}", req.uri())
}

waypost::export!(get);
