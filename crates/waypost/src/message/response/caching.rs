//! What a response says about its own caching: its tags and its life.

use std::time::Duration;

use waypost_cache::Life;
use waypost_cache::internal::{X_WAYPOST_LIFE, X_WAYPOST_TAGS, write_life, write_tags};
use waypost_cache::life::MAX_LIFE;
use waypost_cache::revalidation::X_WAYPOST_REVALIDATE;

use crate::Response;
use crate::cache::Seconds;
use crate::extract::Exchange;
use crate::response::head::HeaderList;
use crate::run::cache::shown;
use crate::run::origin::log_error;

/// What a response says to the cache of its caller.
#[derive(Default)]
pub(crate) struct Settings {
    tags: Vec<String>,
    life: Option<Life>,
    is_no_store: bool,
    /// The revalidations of the request, as the value of their header.
    revalidations: String,
}

/// What a response says to the cache of its caller. A trait object, so that a component that says nothing does not contain
/// the code.
pub(crate) trait Caching {
    /// Removes what the caller would not understand, and checks the rest.
    fn finish(&mut self, exchange: &Exchange);

    /// Adds the internal headers.
    fn write(&self, headers: &mut HeaderList);

    /// Returns the settings.
    fn settings(&self) -> &Settings;

    /// Returns the settings for changes.
    fn settings_mut(&mut self) -> &mut Settings;
}

impl Caching for Settings {
    fn finish(&mut self, exchange: &Exchange) {
        if !exchange.marks().fill {
            *self = Self::default();
        } else if let Err(error) = write_tags(&self.tags) {
            let error = format_args!("the response is not cached: {error}");
            log_error(error, Some(&exchange.origin()));
            self.is_no_store = true;
            self.tags.clear();
        }
    }

    fn write(&self, headers: &mut HeaderList) {
        let life = match self.is_no_store {
            true => Some(write_life(None)),
            false => self.life.map(|life| write_life(Some(life))),
        };
        let lines = [
            (X_WAYPOST_TAGS, write_tags(&self.tags).unwrap_or_default()),
            (X_WAYPOST_LIFE, life.unwrap_or_default()),
            (X_WAYPOST_REVALIDATE, self.revalidations.clone()),
        ];
        let lines = lines.into_iter().filter(|(_, value)| !value.is_empty());
        headers.extend(lines.map(|(name, value)| (name.to_owned(), value.into_bytes())));
    }

    fn settings(&self) -> &Settings {
        self
    }

    fn settings_mut(&mut self) -> &mut Settings {
        self
    }
}

impl Response {
    /// Adds a tag, by which [`Cache`](crate::Cache) revalidates the cached response. It has those of the route's policy
    /// too.
    ///
    /// This and the other methods about caching matter only if the route has a policy (see [`export!`](crate::export)).
    /// A response with an invalid tag is sent, but not cached, because the tag could not revalidate it. The log says so.
    /// A tag has 1 to 256 characters, and a response at most 128 tags.
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
        let own = &mut self.own_settings().tags;
        own.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Sets the time after which the cached response is stale: a number of seconds, or a
    /// [`Duration`]. The shortest time counts, of several and of the route's policy. Less than a second is
    /// [`Response::no_store`].
    #[must_use]
    pub fn revalidate(mut self, time: impl Seconds) -> Self {
        let settings = self.own_settings();
        let time = Duration::from_secs(time.seconds()).min(MAX_LIFE);
        match Life::new(Some(time), None) {
            Ok(life) => {
                let earlier = settings.life.unwrap_or(life);
                settings.life = Some(earlier.shorter(life));
            }
            Err(_) => settings.is_no_store = true,
        }
        self
    }

    /// Keeps this response out of the cache.
    #[must_use]
    pub fn no_store(mut self) -> Self {
        self.own_settings().is_no_store = true;
        self
    }

    /// Returns the tags that were set with [`Response::tag`], for tests.
    pub fn cache_tags(&self) -> &[String] {
        self.settings().map_or(&[], |settings| &settings.tags)
    }

    /// Returns the time that was set with [`Response::revalidate`], for tests.
    pub fn cache_time(&self) -> Option<Duration> {
        self.settings()?.life?.revalidate()
    }

    /// Returns whether the response is kept out of the cache, for tests.
    pub fn is_no_store(&self) -> bool {
        self.settings().is_some_and(|settings| settings.is_no_store)
    }

    /// Returns what the handler revalidated, for tests: see [`Cache::revalidated`](crate::Cache::revalidated). It is known
    /// of a response of [`test::call`](crate::test::call).
    pub fn revalidated(&self) -> Vec<String> {
        let header = self.settings().map(|settings| &*settings.revalidations);
        shown(header.unwrap_or_default())
    }

    /// Reads an internal header of the component's response.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_internal_header(mut self, name: &str, value: &str) -> Self {
        use waypost_cache::internal::{parse_life, parse_tags};
        let settings = self.settings_mut();
        match name {
            X_WAYPOST_TAGS => settings.tags = parse_tags(value).unwrap_or_default(),
            X_WAYPOST_LIFE => {
                settings.life = parse_life(value).flatten();
                settings.is_no_store = settings.life.is_none();
            }
            X_WAYPOST_REVALIDATE => settings.revalidations = value.to_owned(),
            _ => {}
        }
        self
    }

    /// Returns what the response says about its own caching, or `None` if it says nothing.
    pub(crate) fn caching(&self) -> Option<&dyn Caching> {
        self.0.caching.as_deref()
    }

    /// Sets the revalidations of the request.
    pub(crate) fn set_revalidations(&mut self, header: String) {
        self.settings_mut().revalidations = header;
    }

    fn settings(&self) -> Option<&Settings> {
        self.caching().map(Caching::settings)
    }

    fn own_settings(&mut self) -> &mut Settings {
        self.0.check = Some(Self::valid_or_500);
        self.settings_mut()
    }

    fn settings_mut(&mut self) -> &mut Settings {
        let new = || Box::new(Settings::default()) as Box<dyn Caching>;
        self.0.caching.get_or_insert_with(new).settings_mut()
    }
}
