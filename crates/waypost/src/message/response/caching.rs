//! What a response says to a cache: its own tags and life, and the revalidations of the request.
//!
//! They are internal headers from the start, so that a response needs no further fields for them. Those that the caller
//! of the component does not understand are removed before they are sent.

use std::time::Duration;

use waypost_cache::Life;
use waypost_cache::internal::{
    X_WAYPOST_LIFE, X_WAYPOST_TAGS, parse_life, parse_tags, write_life, write_tags,
};
use waypost_cache::life::MAX_LIFE;
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;
use waypost_cache::tag::add_tags;

use crate::Response;
use crate::cache::Seconds;
use crate::extract::Exchange;
use crate::response::head::Head;
use crate::run::cache::shown;
use crate::sys;

/// The internal headers of a response.
pub(crate) const INTERNAL: [&str; 3] = [X_WAYPOST_TAGS, X_WAYPOST_LIFE, X_WAYPOST_REVALIDATE];

/// Removes the tags and the life of a response, unless its caller may store it. A response that leaves the SDK has none.
pub(super) fn finish(head: &mut Head, exchange: Option<&Exchange>) {
    let is_stored = exchange.is_some_and(|exchange| exchange.marks().fill);
    if !is_stored {
        head.remove(X_WAYPOST_TAGS);
        head.remove(X_WAYPOST_LIFE);
    }
}

impl Response {
    /// Adds a tag, by which [`Cache`](crate::Cache) revalidates the cached response. It has those of the route's policy
    /// too.
    ///
    /// This and the other methods about caching matter only if the route has a policy (see [`export!`](crate::export)).
    /// They are lost when the response becomes one of the crate `http`.
    ///
    /// A tag has 1 to 256 characters, and a response at most 128 tags. A response with an invalid tag is sent, but not
    /// cached, because the tag could not revalidate it. The log says so.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::Response;
    ///
    /// let response = Response::new("three posts").tag("posts").tags(["author-ada", "author-bob"]).revalidate(300);
    /// assert_eq!(response.cache_tags(), ["posts", "author-ada", "author-bob"]);
    /// ```
    #[must_use]
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.tags([tag])
    }

    /// Adds several tags, like [`Response::tag`].
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item: Into<String>>) -> Self {
        let mut own = self.cache_tags();
        let added = add_tags(&mut own, tags.into_iter().map(Into::into));
        match added.and_then(|()| write_tags(&own)) {
            Ok(header) => {
                self.0.head.insert_for_cache(X_WAYPOST_TAGS, header);
                self
            }
            Err(error) => {
                sys::log(&format!("the response is not cached: {error}"));
                self.no_store()
            }
        }
    }

    /// Sets the time after which the cached response is stale: a number of seconds, or a [`Duration`]. The shortest time
    /// counts, of several and of the route's policy. Less than a second is [`Response::no_store`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use waypost::Response;
    ///
    /// let response = Response::new("news").revalidate(Duration::from_secs(60)).revalidate(300);
    /// assert_eq!(response.cache_time(), Some(Duration::from_secs(60)));
    /// ```
    #[must_use]
    pub fn revalidate(self, time: impl Seconds) -> Self {
        let time = Duration::from_secs(time.seconds()).min(MAX_LIFE);
        let life = Life::new(Some(time), None).ok();
        let life = match (self.own_life(), life) {
            (Some(Some(earlier)), Some(life)) => Some(earlier.shorter(life)),
            (Some(None), _) => None,
            (_, life) => life,
        };
        self.with_life(life)
    }

    /// Keeps this response out of the cache.
    #[must_use]
    pub fn no_store(self) -> Self {
        self.with_life(None)
    }

    /// Returns the tags that were set with [`Response::tag`], for tests.
    pub fn cache_tags(&self) -> Vec<String> {
        let tags = self.internal(X_WAYPOST_TAGS);
        tags.and_then(|tags| parse_tags(&tags).ok())
            .unwrap_or_default()
    }

    /// Returns the time that was set with [`Response::revalidate`], for tests.
    pub fn cache_time(&self) -> Option<Duration> {
        self.own_life()??.revalidate()
    }

    /// Returns whether the response is kept out of the cache, for tests.
    pub fn is_no_store(&self) -> bool {
        self.own_life() == Some(None)
    }

    /// Returns what the handler revalidated, for tests: see [`Cache::revalidated`](crate::Cache::revalidated). Only a
    /// response of [`test::call`](crate::test::call) has it.
    pub fn revalidated(&self) -> Vec<String> {
        let header = self.internal(X_WAYPOST_REVALIDATE);
        shown(&header.unwrap_or_default())
    }

    /// Adds the revalidations of the request, as the value of their header.
    pub(crate) fn set_revalidations(&mut self, header: String) {
        self.0.head.insert_for_cache(X_WAYPOST_REVALIDATE, header);
    }

    fn with_life(mut self, life: Option<Life>) -> Self {
        self.0
            .head
            .insert_for_cache(X_WAYPOST_LIFE, write_life(life));
        self
    }

    /// Returns the life, `Some(None)` if the response is not cached, or `None` if it says nothing.
    fn own_life(&self) -> Option<Option<Life>> {
        parse_life(&self.internal(X_WAYPOST_LIFE)?)
    }

    fn internal(&self, name: &str) -> Option<String> {
        let value = self.0.head.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}
