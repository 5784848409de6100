//! `/s/headers-trim`: white space at the ends of a header, and an empty one.

use waypost::Response;

async fn get() -> Response {
    Response::new("h")
        .with_header("x-trim", "  padded  ")
        .with_header("x-empty", "")
}

waypost::export!(get);
