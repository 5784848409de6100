//! `/s/headers-trim`: headers with leading and trailing white space, and an empty one.

use waypost::Response;

async fn get() -> Response {
    Response::new("h")
        .with_header("x-trim", "  padded  ")
        .with_header("x-empty", "")
}

waypost::export!(get);
