//! `/s/stream-string-chunk`: a stream of text.

use waypost::{Body, Response};

async fn get() -> Response {
    Response::new(Body::from_iter(["not bytes"]))
}

waypost::export!(get);
