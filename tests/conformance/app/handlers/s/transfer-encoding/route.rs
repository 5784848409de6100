//! `/s/transfer-encoding`: a hop-by-hop header.

use waypost::Response;

async fn get() -> Response {
    Response::new("te")
        .with_header("transfer-encoding", "gzip")
        .with_header("content-type", "text/plain")
}

waypost::export!(get);
