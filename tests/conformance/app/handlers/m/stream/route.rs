//! `/m/stream`: a body of two chunks.

use waypost::{Body, Response};

async fn get() -> Response {
    Response::new(Body::from_iter(["a", "b"])).with_header("content-type", "text/plain")
}

waypost::export!(get);
