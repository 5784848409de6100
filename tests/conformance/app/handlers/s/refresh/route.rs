//! `/s/refresh`: a permanent redirect built from a status and a `Location` header.

use waypost::Response;

async fn get() -> Response {
    Response::new("r")
        .with_status(308)
        .with_header("location", "/target")
}

waypost::export!(get);
