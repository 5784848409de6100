//! `/x/cors`: headers that let pages of other origins read the response.

use waypost::Response;

async fn get() -> Response {
    open_to_all(Response::new("cors"))
}

async fn options() -> Response {
    open_to_all(Response::new(()).with_status(204)).with_header("access-control-max-age", "86400")
}

fn open_to_all(response: Response) -> Response {
    response
        .with_header("access-control-allow-origin", "*")
        .with_header("access-control-allow-methods", "GET, POST, OPTIONS")
        .with_header(
            "access-control-allow-headers",
            "Content-Type, Authorization",
        )
}

waypost::export!(get, options);
