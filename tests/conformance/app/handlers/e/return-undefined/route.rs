//! `/e/return-undefined`: a handler that returns nothing.

use anyhow::Context as _;
use waypost::{Response, Result};

async fn get() -> Result {
    let reply: Option<Response> = None;
    Ok(reply.context("the handler returned nothing")?)
}

waypost::export!(get, post = get);
