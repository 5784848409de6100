//! [`CacheOptions`]: for how long a value is cached, and what revalidates it.

use std::time::Duration;

use serde::Serialize;
use waypost_cache::Life;
use waypost_cache::life::MAX_LIFE;

use super::{Entry, Kind};
use crate::cache::Seconds;

/// For how long [`Cache::get_or`](crate::Cache::get_or) keeps a value, and what revalidates it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use waypost::cache::CacheOptions;
///
/// let options = CacheOptions::new().revalidate(60).expire(Duration::from_secs(3600)).tags(["posts", "author-7"]);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheOptions {
    revalidate: Option<Duration>,
    expire: Option<Duration>,
    tags: Vec<String>,
}

impl CacheOptions {
    /// Creates options with which a value is fresh until it is revalidated, and kept for a year.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time after which a value is stale, in seconds or as a [`Duration`]: it is returned once more while a new one is
    /// made.
    #[must_use]
    pub fn revalidate(mut self, time: impl Seconds) -> Self {
        self.revalidate = Some(Duration::from_secs(time.seconds()).min(MAX_LIFE));
        self
    }

    /// Sets the time after which a value is not returned any more, in seconds or as a [`Duration`].
    #[must_use]
    pub fn expire(mut self, time: impl Seconds) -> Self {
        self.expire = Some(Duration::from_secs(time.seconds()).min(MAX_LIFE));
        self
    }

    /// Adds tags, by which [`Cache`](crate::Cache) revalidates the value.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item: Into<String>>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Creates the entry of a value.
    pub(crate) fn entry(
        self,
        kind: Kind,
        name: &str,
        key: &impl Serialize,
    ) -> Result<Entry, String> {
        let life = Life::new(self.revalidate, self.expire);
        let life = life.map_err(|error| error.to_string())?;
        Entry::new(kind, name, key, self.tags, life)
    }
}
