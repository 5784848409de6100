//! `/c/static-head`: a cached GET, and its own HEAD.

use ids::get;
use waypost::Response;

async fn head() -> Response {
    Response::new(()).with_header("x-handler", "HEAD")
}

waypost::export!(get, head; cache());
