//! `/c/static-dyn-throw/[slug]`: a cached handler that fails.

use waypost::Result;

async fn get() -> Result {
    Err(anyhow::anyhow!("thrown").into())
}

waypost::export!(get; cache());
