//! `/q/echo`: the request's body is streamed back.

use waypost::{Request, Response};

async fn post(req: Request) -> Response {
    let content_type = req
        .header("content-type")
        .unwrap_or("application/octet-stream");
    Response::new(req.body()).with_header("content-type", content_type)
}

waypost::export!(post);
