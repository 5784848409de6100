//! `/s/headers-unicode`: a header that no byte string can hold.

use waypost::Response;

async fn get() -> Response {
    Response::new("h").with_header("x-uni", "✓")
}

waypost::export!(get);
