//! `/e/status-range`: a status that HTTP does not know.

use waypost::Response;

async fn get() -> Response {
    Response::new("x").with_status(1000)
}

waypost::export!(get);
