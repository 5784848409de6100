//! `/c/count/[name]`: the server that `/c/fetch` asks. Each request for a name gets the next number.

use waypost::key_value::Store;
use waypost::{Context, Result};

#[derive(serde::Deserialize)]
struct Params {
    name: String,
}

async fn get(ctx: Context<Params>) -> Result<String> {
    let store = Store::open_default().await?;
    let key = format!("count of {}", ctx.params.name);
    let count: u32 = store.get_json(&key).await?.unwrap_or_default();
    store.set_json(&key, &(count + 1)).await?;
    Ok((count + 1).to_string())
}

waypost::export!(get);
