//! Handlers that report which of them was called, and with which method.

use waypost::{Request, Response};

/// Answers GET.
pub async fn get(req: Request) -> Response {
    described(Response::new("GET"), "GET", &req)
}

/// Answers OPTIONS.
pub async fn options(req: Request) -> Response {
    described(Response::new("OPTIONS"), "OPTIONS", &req)
}

/// Answers POST.
pub async fn post(req: Request) -> Response {
    described(Response::new("POST"), "POST", &req)
}

/// Answers PUT.
pub async fn put(req: Request) -> Response {
    described(Response::new("PUT"), "PUT", &req)
}

/// Answers DELETE.
pub async fn delete(req: Request) -> Response {
    described(Response::new("DELETE"), "DELETE", &req)
}

/// Answers PATCH.
pub async fn patch(req: Request) -> Response {
    described(Response::new("PATCH"), "PATCH", &req)
}

/// Answers HEAD.
pub async fn head(req: Request) -> Response {
    described(Response::new(()), "HEAD", &req)
}

fn described(response: Response, handler: &'static str, req: &Request) -> Response {
    response
        .with_header("x-handler", handler)
        .with_header("x-method", req.method().as_str())
}
