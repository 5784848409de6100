//! `/s/headers-latin1`: a header beyond ASCII.

use waypost::Response;

async fn get() -> Response {
    Response::new("h").with_header("x-latin", "café")
}

waypost::export!(get);
