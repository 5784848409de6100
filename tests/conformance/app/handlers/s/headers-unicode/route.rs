//! `/s/headers-unicode`: a header with characters beyond Latin-1.

use waypost::Response;

async fn get() -> Response {
    Response::new("h").with_header("x-uni", "✓")
}

waypost::export!(get);
