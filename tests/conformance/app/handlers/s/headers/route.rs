//! `/s/headers`: headers with one value and with several.

use waypost::Response;

async fn get() -> Response {
    Response::new("h")
        .with_appended_header("X-Multi", "one")
        .with_appended_header("X-Multi", "two")
        .with_appended_header("Vary", "X-Thing")
        .with_appended_header("ETag", "\"abc\"")
        .with_appended_header("Cache-Control", "public, max-age=60")
        .with_appended_header("X-CaSe", "Kept?")
        .with_appended_header("WWW-Authenticate", "Basic realm=\"a\"")
        .with_appended_header("WWW-Authenticate", "Bearer")
        .with_appended_header("Link", "</a>; rel=x")
        .with_appended_header("Link", "</b>; rel=y")
}

waypost::export!(get);
