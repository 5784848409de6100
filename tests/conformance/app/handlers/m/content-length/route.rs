//! `/m/content-length`: a `Content-Length` set by the handler.

use waypost::Response;

async fn get() -> Response {
    Response::new("hello world")
        .with_header("content-length", "11")
        .with_header("content-type", "text/plain")
}

waypost::export!(get);
