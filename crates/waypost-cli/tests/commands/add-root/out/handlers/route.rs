//! GET `/`.

use waypost::{Request, Response, Result};

async fn get(_req: Request) -> Result<Response> {
    Ok(Response::new("Hello from /\n"))
}

waypost::export!(get);
