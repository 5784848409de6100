//! `/s/cl-short`: a wrong `Content-Length`.

use waypost::Response;

async fn get() -> Response {
    Response::new("hello world").with_header("content-length", "5")
}

waypost::export!(get);
