//! `/s/cookie-append`: cookies set with `Set-Cookie` headers.

use waypost::Response;

async fn get() -> Response {
    Response::new("c")
        .with_appended_header("set-cookie", "a=1; Path=/")
        .with_appended_header(
            "set-cookie",
            "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT; HttpOnly",
        )
}

waypost::export!(get);
