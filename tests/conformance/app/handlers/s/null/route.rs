//! `/s/null`: no body.

use waypost::Response;

async fn get() -> Response {
    Response::new(())
}

waypost::export!(get);
