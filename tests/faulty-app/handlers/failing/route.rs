//! `/failing`: returns an error with a cause.

use anyhow::Context as _;
use waypost::Result;

async fn get() -> Result<&'static str> {
    let missing: std::io::Result<()> = Err(std::io::Error::other("the secret cause"));
    missing.context("can't answer")?;
    Ok("unreachable")
}

waypost::export!(get);
