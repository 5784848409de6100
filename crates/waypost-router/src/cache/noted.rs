//! [`Noted`]: what an instance remembers between requests. All of it may be lost at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use waypost_cache::Token;
use waypost_cache::retry::retry_after;
use waypost_cache::storable::HIT_FOR_MISS;

use super::slots::EntryId;

/// The digest of a key.
pub(super) type Digest = [u8; 32];

/// How many keys are remembered in each respect. Beyond that, all are forgotten.
const MOST: usize = 256;

/// How many responses an instance refreshes at once.
const REFRESHES: usize = 4;

#[derive(Default)]
pub(super) struct Noted {
    /// The entry of a slot, and the last epoch at which nothing of it had been invalidated.
    seen: BTreeMap<u32, (EntryId, Token)>,
    /// The keys for which a handler runs.
    flights: BTreeSet<Digest>,
    /// Until when the responses of a key are taken for uncacheable.
    uncacheable: BTreeMap<Digest, Duration>,
    /// The failed refreshes of a key in a row, and when the next may begin.
    failed: BTreeMap<Digest, (u32, Duration)>,
    refreshing: usize,
    /// The components of which the log says that their responses are not stored.
    warned: BTreeSet<String>,
    /// Whether the log says that a revalidation reaches only this instance.
    pub(super) has_warned_alone: bool,
    /// Until when the store is left alone.
    pub(super) paused_until: Duration,
    /// Until when the log says nothing more about the store.
    pub(super) quiet_until: Duration,
}

impl Noted {
    /// Returns whether an entry was valid at this epoch.
    pub(super) fn is_seen(&self, slot: u32, id: EntryId, epoch: Token) -> bool {
        self.seen.get(&slot) == Some(&(id, epoch))
    }

    /// Notes that an entry was valid at this epoch. There is one note for each slot.
    pub(super) fn see(&mut self, slot: u32, id: EntryId, epoch: Token) {
        self.seen.insert(slot, (id, epoch));
    }

    /// Notes that a handler runs for a key. Returns `false` if one does already.
    pub(super) fn take_off(&mut self, digest: Digest) -> bool {
        self.flights.insert(digest)
    }

    pub(super) fn land(&mut self, digest: &Digest) {
        self.flights.remove(digest);
    }

    pub(super) fn is_flying(&self, digest: &Digest) -> bool {
        self.flights.contains(digest)
    }

    /// Remembers for a while that the responses of a key can't be stored, so that requests don't wait for each other.
    pub(super) fn set_uncacheable(&mut self, digest: Digest, now: Duration) {
        make_room(&mut self.uncacheable);
        let until = now.saturating_add(HIT_FOR_MISS);
        self.uncacheable.insert(digest, until);
    }

    pub(super) fn is_uncacheable(&self, digest: &Digest, now: Duration) -> bool {
        self.uncacheable
            .get(digest)
            .is_some_and(|until| now < *until)
    }

    /// Takes a place for a refresh. Returns `false` if there is none, or if the key's last refresh failed a moment ago.
    pub(super) fn begin_refresh(&mut self, digest: &Digest, now: Duration) -> bool {
        let is_too_early = self.failed.get(digest).is_some_and(|(_, next)| now < *next);
        let may = !is_too_early && self.refreshing < REFRESHES;
        self.refreshing += usize::from(may);
        may
    }

    pub(super) fn end_refresh(&mut self) {
        self.refreshing = self.refreshing.saturating_sub(1);
    }

    /// Notes that a refresh failed.
    pub(super) fn refresh_failed(&mut self, digest: Digest, now: Duration, jitter: u8) {
        make_room(&mut self.failed);
        let (failures, next) = self.failed.entry(digest).or_default();
        *failures = failures.saturating_add(1);
        *next = now.saturating_add(retry_after(*failures, jitter));
    }

    /// Notes that a response of a key was stored.
    pub(super) fn stored(&mut self, digest: &Digest) {
        self.failed.remove(digest);
        self.uncacheable.remove(digest);
    }

    /// Returns `true` at the first call for a component.
    pub(super) fn is_first_warning(&mut self, component: &str) -> bool {
        self.warned.insert(component.to_owned())
    }
}

fn make_room<V>(map: &mut BTreeMap<Digest, V>) {
    if map.len() >= MOST {
        map.clear();
    }
}
