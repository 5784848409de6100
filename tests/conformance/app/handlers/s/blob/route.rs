//! `/s/blob`: bytes with a content type.

use waypost::{Body, Response};

async fn get() -> Response {
    Response::new(Body::from(b"blobby").of_type("text/x-custom"))
}

waypost::export!(get);
