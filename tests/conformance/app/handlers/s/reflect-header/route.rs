//! `/s/reflect-header?v=`: a header with a value from the client.

use waypost::{Request, Response};

async fn get(req: Request) -> Response {
    let params = req.search_params();
    Response::new("ok").with_header("x-reflect", params.get("v").unwrap_or_default())
}

waypost::export!(get);
