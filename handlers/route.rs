//! `/`: a page with a link or form for each of the examples.

use waypost::Response;

async fn get() -> Response {
    Response::new(include_str!("page.html")).with_header("content-type", "text/html; charset=utf-8")
}

waypost::export!(get);
