//! `/e/response-error`: the response of a network error, whose status is 0.

use waypost::Response;

async fn get() -> Response {
    Response::new(()).with_status(0)
}

waypost::export!(get);
