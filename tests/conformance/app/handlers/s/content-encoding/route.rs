//! `/s/content-encoding`: a body that the handler compressed.

use waypost::Response;

async fn get() -> Response {
    Response::new(include_bytes!("plain-text.gz"))
        .with_header("content-encoding", "gzip")
        .with_header("content-type", "text/plain")
}

waypost::export!(get);
