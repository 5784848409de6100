//! `/s/headers-crlf`: a header that would smuggle in another.

use waypost::Response;

async fn get() -> Response {
    Response::new("h").with_header("x-inj", "a\r\nSet-Cookie: evil=1")
}

waypost::export!(get);
