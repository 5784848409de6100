//! [`Noted`]: what an instance remembers between requests. All of it may be lost at any time.
//!
//! It is kept in short lists, because each kind of map would add several kB to the component.

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
    seen: Vec<(u32, EntryId, Token)>,
    /// The keys for which a handler runs.
    flights: Vec<Digest>,
    /// Until when the responses of a key are taken for uncacheable.
    uncacheable: Vec<(Digest, Duration)>,
    /// Failed refreshes.
    failed: Vec<Failed>,
    refreshing: usize,
    /// The components of which the log says that their responses are not stored.
    warned: Vec<String>,
    /// Whether the log says that a revalidation reaches only this instance.
    pub(super) has_warned_alone: bool,
    /// Until when the store is left alone.
    pub(super) paused_until: Duration,
    /// Until when the log says nothing more about the store.
    pub(super) quiet_until: Duration,
}

/// The failed refreshes of a key.
struct Failed {
    digest: Digest,
    in_a_row: u32,
    /// When the next may begin.
    next: Duration,
}

impl Noted {
    /// Returns whether an entry was valid at this epoch.
    pub(super) fn is_seen(&self, slot: u32, id: EntryId, epoch: Token) -> bool {
        self.seen.contains(&(slot, id, epoch))
    }

    /// Notes that an entry was valid at this epoch. There is one note for each slot.
    pub(super) fn see(&mut self, slot: u32, id: EntryId, epoch: Token) {
        self.seen.retain(|(known, ..)| *known != slot);
        self.seen.push((slot, id, epoch));
    }

    /// Notes that a handler runs for a key. Returns `false` if one does already.
    pub(super) fn take_off(&mut self, digest: Digest) -> bool {
        let is_first = !self.flights.contains(&digest);
        if is_first {
            self.flights.push(digest);
        }
        is_first
    }

    pub(super) fn land(&mut self, digest: &Digest) {
        self.flights.retain(|known| known != digest);
    }

    pub(super) fn is_flying(&self, digest: &Digest) -> bool {
        self.flights.contains(digest)
    }

    /// Remembers for a while that the responses of a key can't be stored, so that requests don't wait for each other.
    pub(super) fn set_uncacheable(&mut self, digest: Digest, now: Duration) {
        self.uncacheable.retain(|(known, _)| *known != digest);
        if self.uncacheable.len() >= MOST {
            self.uncacheable.clear();
        }
        let until = now.saturating_add(HIT_FOR_MISS);
        self.uncacheable.push((digest, until));
    }

    pub(super) fn is_uncacheable(&self, digest: &Digest, now: Duration) -> bool {
        let mut known = self.uncacheable.iter();
        known.any(|(known, until)| known == digest && now < *until)
    }

    /// Takes a place for a refresh. Returns `false` if there is none, or if the key's last refresh failed a moment ago.
    pub(super) fn begin_refresh(&mut self, digest: &Digest, now: Duration) -> bool {
        let mut failed = self.failed.iter();
        let is_too_early = failed.any(|failed| failed.digest == *digest && now < failed.next);
        let may = !is_too_early && self.refreshing < REFRESHES;
        self.refreshing += usize::from(may);
        may
    }

    pub(super) fn end_refresh(&mut self) {
        self.refreshing = self.refreshing.saturating_sub(1);
    }

    /// Notes that a refresh failed.
    pub(super) fn refresh_failed(&mut self, digest: Digest, now: Duration, jitter: u8) {
        let before = self.failed.iter().find(|failed| failed.digest == digest);
        let in_a_row = before.map_or(0, |failed| failed.in_a_row).saturating_add(1);
        self.failed.retain(|failed| failed.digest != digest);
        if self.failed.len() >= MOST {
            self.failed.clear();
        }
        self.failed.push(Failed {
            digest,
            in_a_row,
            next: now.saturating_add(retry_after(in_a_row, jitter)),
        });
    }

    /// Notes that a response of a key was stored.
    pub(super) fn stored(&mut self, digest: &Digest) {
        self.failed.retain(|failed| failed.digest != *digest);
        self.uncacheable.retain(|(known, _)| known != digest);
    }

    /// Returns `true` at the first call for a component.
    pub(super) fn is_first_warning(&mut self, component: &str) -> bool {
        let is_first = !self.warned.iter().any(|known| known == component);
        if is_first {
            self.warned.push(component.to_owned());
        }
        is_first
    }
}
