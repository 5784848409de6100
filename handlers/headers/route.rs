//! `/headers`: a header read from the request, and headers set on the response.

use waypost::{Request, Response};

async fn get(req: Request) -> Response {
    let referer = req.header("referer").unwrap_or("nowhere").to_owned();
    Response::new(format!("You come from {referer}"))
        .with_header("referer", referer)
        .with_header("cache-control", "no-store")
}

waypost::export!(get);
