//! The response cache of the router component: the same decisions as those of Waypost's host, over a key-value store.
//!
//! `waypost-cache` has the rules. This module reads and writes the store ([`KeyValue`]), runs handlers ([`Handler`]), and
//! applies what they revalidate before a client gets the response. It is generic over the [`Platform`], so that tests run
//! natively.
//!
//! The store has a fixed number of keys ([`slots`]), because a store of Spin neither lists keys cheaply nor deletes old ones.
//! A hit reads two of them at once.
//!
//! Invariants:
//!
//! - A run whose response is stored sees only what is in the key of the response.
//! - The store never makes a request fail. What it does not answer in time is not there.
//! - Only a body of known length is stored: on Spin, a body whose handler fails looks complete.

mod answer;
mod asking;
mod concurrent;
mod fill;
mod memory;
mod noted;
mod platform;
mod revalidate;
mod routes;
mod served;
mod slots;
#[cfg(test)]
mod tests;

use std::cell::{RefCell, RefMut};
use std::time::Duration;

pub use asking::{Asking, Plan, SealedRequest, Seen};
pub use memory::Memory;
pub use platform::{Body, Handler, KeyValue, Platform, Reply, Stream};
pub use routes::{CacheTableError, CachedRoute, CachedRoutes};

use noted::Noted;

/// The size of the largest body that is stored, in bytes: Spin's SQLite store has values of at most 1 MB.
pub const MAX_BODY: u64 = 900_000;

/// The length of the largest stored value, in bytes: the body, the headers and the key.
const MAX_VALUE: usize = 1_000_000;

/// How long a request waits for the store. After that, nothing is stored for it.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long work in the background waits for the store. Nobody waits for it, and SQLite writes one value after the other.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(5);

/// How long the store is left alone after it did not answer, so that not every request waits for it.
const PAUSE: Duration = Duration::from_secs(1);

/// The shortest time between two lines of the log about the store.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// The response cache of one instance of the router. Requests of the instance share it as an `Rc`.
pub struct ResponseCache<P> {
    platform: P,
    routes: CachedRoutes,
    /// The secret of draft mode, or `None` if the router does not know it.
    draft_secret: Option<String>,
    noted: RefCell<Noted>,
}

impl<P: Platform> ResponseCache<P> {
    /// Makes the cache of an instance.
    pub fn new(platform: P, routes: CachedRoutes, draft_secret: Option<String>) -> Self {
        Self {
            platform,
            routes,
            draft_secret,
            noted: RefCell::default(),
        }
    }

    fn noted(&self) -> RefMut<'_, Noted> {
        self.noted.borrow_mut()
    }

    /// Waits for the store, but not for ever. Returns `None`, and logs why, if it fails or does not answer.
    async fn ask<T>(&self, work: impl Future<Output = Result<T, String>>) -> Option<T> {
        if self.platform.now() < self.noted().paused_until {
            return None;
        }
        let sleep = self.platform.sleep(PATIENCE);
        let answer = concurrent::within(sleep, work).await;
        match answer {
            Some(Ok(answer)) => return Some(answer),
            Some(Err(why)) => self.store_failed(&why),
            None => {
                self.noted().paused_until = self.platform.now().saturating_add(PAUSE);
                self.store_failed("no answer in time");
            }
        }
        None
    }

    /// Writes to the store in the background. Returns `None`, and logs why, if it fails or does not answer.
    async fn put<T>(&self, work: impl Future<Output = Result<T, String>>) -> Option<T> {
        let sleep = self.platform.sleep(BACKGROUND_PATIENCE);
        let answer = concurrent::within(sleep, work).await;
        let answer = answer.unwrap_or_else(|| Err("no answer in time".to_owned()));
        answer.inspect_err(|why| self.store_failed(why)).ok()
    }

    fn store_failed(&self, why: &str) {
        let now = self.platform.now();
        let mut noted = self.noted();
        if now < noted.quiet_until {
            return;
        }
        noted.quiet_until = now.saturating_add(LOG_PAUSE);
        drop(noted);
        let line = format!("warning: the store of the response cache fails: {why}");
        self.platform.log(&line);
    }
}
