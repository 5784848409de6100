//! `/c/static-text`: a cached text with headers.

use waypost::Response;

async fn get() -> Response {
    Response::new("fixed")
        .with_header("x-custom", "yes")
        .with_header("content-type", "text/plain; charset=utf-8")
}

waypost::export!(get; cache());
