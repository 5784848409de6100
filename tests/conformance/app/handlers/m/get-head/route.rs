//! `/m/get-head`: a HEAD of its own.

use methods::get;
use waypost::{Request, Response};

async fn head(req: Request) -> Response {
    methods::head(req).await.with_status(202)
}

waypost::export!(get, head);
