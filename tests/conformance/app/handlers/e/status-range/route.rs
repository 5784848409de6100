//! `/e/status-range`: a status outside the range of HTTP.

use waypost::Response;

async fn get() -> Response {
    Response::new("x").with_status(1000)
}

waypost::export!(get);
