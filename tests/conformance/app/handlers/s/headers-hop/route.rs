//! `/s/headers-hop`: hop-by-hop headers, and headers that the server sets.

use waypost::Response;

async fn get() -> Response {
    Response::new("h")
        .with_header("connection", "x-foo")
        .with_header("keep-alive", "timeout=99")
        .with_header("x-foo", "1")
        .with_header("server", "custom")
        .with_header("date", "Thu, 01 Jan 1970 00:00:00 GMT")
}

waypost::export!(get);
