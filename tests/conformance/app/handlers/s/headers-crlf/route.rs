//! `/s/headers-crlf`: a header value that tries to inject another header.

use waypost::Response;

async fn get() -> Response {
    Response::new("h").with_header("x-inj", "a\r\nSet-Cookie: evil=1")
}

waypost::export!(get);
