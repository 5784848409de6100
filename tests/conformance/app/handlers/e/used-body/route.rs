//! `/e/used-body`: a response whose body was read before.

use waypost::{Request, Response, Result};

async fn get(req: Request) -> Result {
    req.text().await?;
    Ok(Response::new(req.body()).with_header("content-type", "text/plain;charset=UTF-8"))
}

waypost::export!(get);
