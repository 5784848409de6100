//! `/posts/live`: a page that shows what the response cache does with `/posts`.

use waypost::Response;

async fn get() -> Response {
    Response::new(include_str!("page.html")).with_header("content-type", "text/html; charset=utf-8")
}

waypost::export!(get);
