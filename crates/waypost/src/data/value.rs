//! Values as JSON: [`get_or`], and what the attribute `cached` expands to.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;
use waypost_cache::Life;
use waypost_cache::tag::check_tag;

use super::client::{Found, Lease, find};
use super::options::CacheOptions;
use super::scope::Scope;
use super::{Entry, Kind};
use crate::{Cache, sys};

impl Cache {
    /// Returns the value with this key from the data cache of the host, or makes it with `load` and stores it. A function whose
    /// arguments are the key is simpler with the attribute [`cached`](macro@crate::cached).
    ///
    /// The key is any value that serde can write as JSON. It belongs to this version of this component, so other routes do not
    /// see it. Only `Ok` is stored, as JSON. A stale value is returned at once, and `load` then runs after the response; an
    /// error that it returns is logged.
    ///
    /// On a host without a data cache, and in draft mode, `load` runs each time.
    ///
    /// # Errors
    ///
    /// Those of `load`.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::cache::CacheOptions;
    /// use waypost::{Cache, Json, Result, fetch};
    ///
    /// async fn titles() -> Result<Vec<String>> {
    ///     Ok(fetch("https://api.example.com/titles").await?.into_json().await?)
    /// }
    ///
    /// async fn get(cache: Cache) -> Result<Json<Vec<String>>> {
    ///     let options = CacheOptions::new().revalidate(60).tags(["posts"]);
    ///     Ok(Json(cache.get_or("titles", options, titles()).await?))
    /// }
    /// # let _ = get;
    /// ```
    pub async fn get_or<T, E>(
        &self,
        key: impl Serialize,
        options: CacheOptions,
        load: impl Future<Output = Result<T, E>> + 'static,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned + 'static,
        E: Display + 'static,
    {
        let entry = options.entry(Kind::Named, "", &key);
        get_or(entry, load).await
    }
}

/// Returns a value from the data cache, or makes it and stores it.
pub async fn get_or<T, E>(
    entry: Result<Entry, String>,
    load: impl Future<Output = Result<T, E>> + 'static,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned + 'static,
    E: Display + 'static,
{
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => {
            sys::warn(&format!("a value is not cached: {error}"));
            return load.await;
        }
    };
    match find(&entry).await {
        Found::Nothing(None) => load.await,
        Found::Nothing(Some(lease)) => fill(lease, &entry, load).await,
        Found::Value(value, lease) => match serde_json::from_slice(&value) {
            Ok(value) => {
                if let Some(lease) = lease {
                    sys::spawn(Box::pin(async move {
                        if let Err(error) = fill(lease, &entry, load).await {
                            sys::log(&format!("a cached value is not refreshed: {error}"));
                        }
                    }));
                }
                Ok(value)
            }
            // Its type reads something else than it writes.
            Err(_) => load.await,
        },
    }
}

async fn fill<T: Serialize, E>(
    lease: Lease,
    entry: &Entry,
    load: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let scope = Scope::new(entry);
    let result = scope.run(load).await;
    // Also if the value is not stored: what is made of it depends on the same.
    let described = scope.finish();
    match result.as_ref().map(serde_json::to_vec) {
        Ok(Ok(json)) => lease.store(json, described).await,
        Ok(Err(error)) => {
            sys::warn(&format!("a value is not cached: {error}"));
            lease.give_back().await;
        }
        Err(_) => lease.give_back().await,
    }
    result
}

impl Entry {
    /// Creates an entry whose key is a name and a value as JSON.
    ///
    /// # Errors
    ///
    /// Why there is none: the key can't be written, or a tag is invalid.
    pub(crate) fn new(
        kind: Kind,
        name: &str,
        key: &impl Serialize,
        tags: Vec<String>,
        life: Life,
    ) -> Result<Self, String> {
        for tag in &tags {
            check_tag(tag).map_err(|error| error.to_string())?;
        }
        let mut bytes = vec![kind as u8];
        bytes.extend(name.as_bytes());
        bytes.push(b' ');
        serde_json::to_writer(&mut bytes, key).map_err(|error| error.to_string())?;
        Ok(Self {
            key: bytes,
            tags,
            life,
        })
    }
}

/// What the attribute `cached` knows of a function.
pub struct CachedFunction {
    /// Its path and place, which no other function of the component has.
    pub name: &'static str,
    /// In seconds, or 0 if age does not make a value stale.
    pub revalidate: u64,
    /// In seconds.
    pub expire: u64,
}

/// The arguments of a cached function as a key.
#[diagnostic::on_unimplemented(
    message = "a cached function can't take `{Self}` as an argument",
    label = "not a part of a cache key: serde can't serialise it",
    note = "the arguments are the key of the cached value: take ids, names and numbers, or derive `serde::Serialize`"
)]
pub trait CacheKey: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> CacheKey for T {}

/// Checks an argument of a cached function.
pub const fn check_key<T: CacheKey>(_argument: &T) {}

impl CachedFunction {
    /// Returns the identity of a value of the function.
    pub fn entry(&self, arguments: &impl Serialize, tags: Vec<String>) -> Result<Entry, String> {
        let seconds = std::time::Duration::from_secs;
        let revalidate = (self.revalidate > 0).then(|| seconds(self.revalidate));
        // The macro has checked the times.
        let life = Life::new(revalidate, Some(seconds(self.expire))).unwrap_or_default();
        Entry::new(Kind::Function, self.name, arguments, tags, life)
    }
}
