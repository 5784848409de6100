//! What handlers revalidate, and the headers that no client gets.

use std::time::Duration;

use waypost_cache::headers::is_internal;
use waypost_cache::revalidation::{Change, MAX_REVALIDATIONS, X_WAYPOST_REVALIDATE};
use waypost_cache::{Outcome, Revalidation};

use super::asking::values;
use super::concurrent::within;
use super::served::add_computed;
use super::{KeyValue, Platform, ResponseCache};
use crate::Headers;

/// How long a response waits for what its handler revalidates.
const PATIENCE: Duration = Duration::from_secs(2);

impl<P: Platform> ResponseCache<P> {
    /// Applies what the handler of a response revalidates, and removes internal headers. Returns whether there were any.
    ///
    /// Call it for every response of a handler, before the client gets it.
    pub async fn apply(&self, headers: &mut Headers) -> bool {
        self.revalidate(headers).await;
        let before = headers.len();
        remove_internal(headers);
        headers.len() < before
    }

    /// Finishes the response to a request that bypasses the cache: no other cache may keep it.
    pub fn bypassed(headers: &mut Headers, reason: &str) {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("cache-control"));
        let no_store = waypost_cache::headers::NO_STORE;
        headers.push(("cache-control".to_owned(), no_store.into()));
        add_computed(headers, &Outcome::Bypass { reason }, None);
    }

    /// Applies what a handler revalidates.
    pub(super) async fn revalidate(&self, headers: &Headers) {
        let lines = values(headers, X_WAYPOST_REVALIDATE);
        let texts = lines.filter_map(|line| std::str::from_utf8(line).ok());
        let mut revalidations = Vec::new();
        for item in texts.flat_map(Revalidation::parse).take(MAX_REVALIDATIONS) {
            match item {
                Ok(revalidation) => revalidations.push(revalidation),
                Err(error) => {
                    let line = format!("warning: nothing is revalidated: {error}");
                    self.platform.log(&line);
                }
            }
        }
        if revalidations.is_empty() {
            return;
        }
        if !P::Store::IS_SHARED && !std::mem::replace(&mut self.noted().has_warned_alone, true) {
            self.platform.log(ALONE);
        }
        // There is no timer that outlives an instance, so what ends later only becomes stale.
        let changes = revalidations
            .into_iter()
            .map(|Revalidation { subject, change }| (subject, change == Change::Hard));
        let sleep = self.platform.sleep(PATIENCE);
        let failed = match within(sleep, self.change(changes)).await {
            Some(Ok(())) => return,
            Some(Err(why)) => why,
            None => "no answer in time".to_owned(),
        };
        let line = format!("error: nothing is revalidated, because the store fails: {failed}");
        self.platform.log(&line);
    }
}

/// Removes the headers that no client gets.
pub(super) fn remove_internal(headers: &mut Headers) {
    headers.retain(|(name, _)| !is_internal(&name.to_ascii_lowercase()));
}

/// What the log says in a composition.
const ALONE: &str = "warning: what is revalidated is revalidated in this instance only, because a composition has no shared store (docs/caching.md)";
