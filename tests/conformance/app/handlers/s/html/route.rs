//! `/s/html`: HTML.

use waypost::Response;

async fn get() -> Response {
    Response::new("<p>hi</p>").with_header("content-type", "text/html")
}

waypost::export!(get);
