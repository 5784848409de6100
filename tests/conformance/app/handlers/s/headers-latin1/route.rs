//! `/s/headers-latin1`: a header with Latin-1 characters.

use waypost::Response;

async fn get() -> Response {
    Response::new("h").with_header("x-latin", "café")
}

waypost::export!(get);
