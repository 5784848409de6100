//! `/methods`: every method that a route can have. Without the functions `head` and `options`, the route would
//! answer both methods automatically.

use waypost::response::IntoResponse;
use waypost::{Request, Response};

async fn get(_req: Request) -> &'static str {
    "GET reads"
}

async fn head(_req: Request) -> Response {
    Response::new(()).with_header("x-answered-by", "HEAD")
}

async fn post(req: Request) -> waypost::Result<String> {
    Ok(format!("POST sent {} bytes", req.bytes().await?.len()))
}

async fn put(_req: Request) -> &'static str {
    "PUT replaces"
}

async fn patch(_req: Request) -> &'static str {
    "PATCH changes"
}

async fn delete(_req: Request) -> impl IntoResponse {
    waypost::http::StatusCode::NO_CONTENT
}

async fn options(_req: Request) -> Response {
    Response::new(())
        .with_status(204)
        .with_header("allow", "GET, HEAD, POST, PUT, PATCH, DELETE")
}

waypost::export!(get, head, post, put, patch, delete, options);
