//! A log that all routes write and read. Each line is its own key in the default key-value store, named by
//! its time, so that writers don't interfere with each other.

use std::time::{SystemTime, UNIX_EPOCH};

use waypost::Result;
use waypost::key_value::Store;

/// Adds a line.
///
/// # Errors
///
/// If the store can't be reached.
pub async fn note(line: impl Into<String>) -> Result<()> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let store = Store::open_default().await?;
    Ok(store.set(format!("{time:030}"), line.into()).await?)
}

/// Returns the lines, in the order in which they were added.
///
/// # Errors
///
/// If the store can't be reached.
pub async fn lines() -> Result<Vec<String>> {
    let store = Store::open_default().await?;
    let mut lines = Vec::new();
    for key in sorted_keys(&store).await? {
        let line = store.get(key).await?.unwrap_or_default();
        lines.push(String::from_utf8(line)?);
    }
    Ok(lines)
}

/// Removes all lines.
///
/// # Errors
///
/// If the store can't be reached.
pub async fn clear() -> Result<()> {
    let store = Store::open_default().await?;
    for key in sorted_keys(&store).await? {
        store.delete(key).await?;
    }
    Ok(())
}

async fn sorted_keys(store: &Store) -> Result<Vec<String>> {
    let mut keys = store.get_keys().await.collect().await?;
    keys.sort_unstable();
    Ok(keys)
}
