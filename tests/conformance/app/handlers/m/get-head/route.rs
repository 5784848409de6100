//! `/m/get-head`: GET, and its own HEAD.

use methods::get;
use waypost::{Request, Response};

async fn head(req: Request) -> Response {
    methods::head(req).await.with_status(202)
}

waypost::export!(get, head);
