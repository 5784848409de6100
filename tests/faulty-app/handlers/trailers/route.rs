//! `/trailers`: a stream with a trailer after it; one that is sent comes back with its own.

use waypost::http::HeaderMap;
use waypost::{Body, Request, Response};

async fn get() -> Response {
    let body = Body::from_iter(["one\n", "two\n"]).with_trailers(|| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-lines", 2.into());
        trailers
    });
    Response::new(body).with_header("trailer", "x-lines")
}

async fn post(req: Request) -> Response {
    Response::new(req.body()).with_header("trailer", "x-lines")
}

waypost::export!(get, post);
