//! `/s/redirect-body`: a redirect built from a status and a `Location` header, with a body.

use waypost::Response;

async fn get() -> Response {
    Response::new("moved body")
        .with_status(301)
        .with_header("location", "/target")
}

waypost::export!(get);
