//! `/cors`: headers that let pages of other origins read the response.

use waypost::Response;

async fn get() -> Response {
    allow_all(Response::new("Hello, other origin!"))
}

async fn options() -> Response {
    allow_all(Response::new(()).with_status(204))
}

fn allow_all(response: Response) -> Response {
    response
        .with_header("access-control-allow-origin", "*")
        .with_header("access-control-allow-methods", "GET, OPTIONS")
        .with_header(
            "access-control-allow-headers",
            "content-type, authorization",
        )
}

waypost::export!(get, options);
