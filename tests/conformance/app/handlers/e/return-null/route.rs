//! `/e/return-null`: a handler that returns no response; `null` is not a response in Rust either.

use anyhow::Context as _;
use waypost::{Response, Result};

async fn get() -> Result {
    let reply: Option<Response> = None;
    Ok(reply.context("the handler returned no response")?)
}

waypost::export!(get);
