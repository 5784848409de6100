//! `/m/get-options`: GET, and its own OPTIONS without `Allow`.

use methods::get;
use waypost::Response;

async fn options() -> Response {
    Response::new(())
        .with_status(204)
        .with_header("x-handler", "OPTIONS")
}

waypost::export!(get, options);
