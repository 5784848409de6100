//! A flag that two routes share. It is on while its key is in the default key-value store.

use waypost::Result;
use waypost::key_value::Store;

const KEY: &str = "rev1-err fails";

/// Returns whether the flag is on.
///
/// # Errors
///
/// If the store can't be reached.
pub async fn is_on() -> Result<bool> {
    Ok(Store::open_default().await?.exists(KEY).await?)
}

/// Switches the flag on or off.
///
/// # Errors
///
/// If the store can't be reached.
pub async fn set(on: bool) -> Result<()> {
    let store = Store::open_default().await?;
    match on {
        true => Ok(store.set(KEY, "on").await?),
        false => Ok(store.delete(KEY).await?),
    }
}
