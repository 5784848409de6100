//! `/s/internal-headers`: headers with a meaning inside Next.

use waypost::Response;

async fn get() -> Response {
    Response::new("i")
        .with_header("x-middleware-set-cookie", "a=1")
        .with_header("x-middleware-next", "0")
        .with_header("x-nextjs-cache", "CUSTOM")
        .with_header("x-nextjs-custom", "1")
        .with_header("x-powered-by", "me")
}

waypost::export!(get);
