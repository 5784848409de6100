//! `/c/static-cc`: a cached response with its own `Cache-Control`.

use waypost::Response;

async fn get() -> Response {
    Response::new("cc").with_header("cache-control", "public, max-age=7")
}

waypost::export!(get; cache());
