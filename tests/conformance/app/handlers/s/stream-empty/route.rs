//! `/s/stream-empty`: a stream that ends at once.

use waypost::{Body, Response};

async fn get() -> Response {
    Response::new(Body::from_iter([""; 0]))
}

waypost::export!(get);
