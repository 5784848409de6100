//! [`TokenTable`]: the tokens that change with each invalidation.
//!
//! The table has a fixed number of slots, so that no number of tags makes it grow. Subjects that share a slot are
//! invalidated together, which is safe. The order of reads and writes that keeps entries right is in
//! [`waypost_cache::token`].

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use waypost_cache::revalidation::Change;
use waypost_cache::token::TokenPair;
use waypost_cache::{Revalidation, Subject, Token};

/// The number of slots: half a megabyte, and with a thousand tags one in sixteen shares its slot.
const SLOTS: NonZeroU32 = NonZeroU32::new(1 << 14).unwrap();

/// The slot of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot(u32);

impl Slot {
    /// Returns the slot of a subject.
    pub(super) fn of(subject: &Subject) -> Self {
        Self(subject.slot(SLOTS))
    }
}

/// The current tokens of all subjects.
pub(super) struct TokenTable {
    pairs: RwLock<Vec<TokenPair>>,
    /// Changes after each change of the tokens: what is equal needs no comparison of tokens.
    epoch: AtomicU64,
    /// Hard changes that are still to come.
    pending: Mutex<HashMap<Slot, Pending>>,
}

/// Hard changes of a slot that are still to come: the first and the last of them. What comes between happens with the first
/// of them that is due.
#[derive(Clone, Copy)]
struct Pending {
    first: Duration,
    last: Duration,
}

impl TokenTable {
    /// Makes a table in which nothing was invalidated yet.
    pub(super) fn new() -> Self {
        Self {
            pairs: RwLock::new(vec![TokenPair::default(); SLOTS.get() as usize]),
            epoch: AtomicU64::new(0),
            pending: Mutex::default(),
        }
    }

    /// Returns the number of changes so far. Read it before the tokens.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Returns the current tokens of these slots.
    pub(super) fn read(&self, slots: &[Slot]) -> Vec<TokenPair> {
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        let pair = |slot: &Slot| pairs.get(slot.0 as usize).copied().unwrap_or_default();
        slots.iter().map(pair).collect()
    }

    /// Applies the revalidations of a response. When this returns, no entry that it concerns is served as fresh.
    ///
    /// `now` is a time since the Unix epoch.
    pub(super) fn apply(&self, revalidations: &[Revalidation], now: Duration) {
        for revalidation in revalidations {
            let slot = Slot::of(&revalidation.subject);
            match revalidation.change {
                Change::Soft => self.change(slot, true, false),
                Change::Hard => self.change(slot, false, true),
                Change::SoftThenHard(time) => {
                    self.change(slot, true, false);
                    self.later(slot, now.saturating_add(time));
                }
            }
        }
        if !revalidations.is_empty() {
            self.epoch.fetch_add(1, Ordering::Release);
        }
    }

    /// Makes the hard changes that are due.
    pub(super) fn tend(&self, now: Duration) {
        let mut due = Vec::new();
        self.pending().retain(|slot, pending| {
            if now < pending.first {
                return true;
            }
            due.push(*slot);
            pending.first = pending.last;
            now < pending.last
        });
        for slot in &due {
            self.change(*slot, false, true);
        }
        if !due.is_empty() {
            self.epoch.fetch_add(1, Ordering::Release);
        }
    }

    fn later(&self, slot: Slot, at: Duration) {
        let mut pending = self.pending();
        let pending = pending.entry(slot).or_insert(Pending {
            first: at,
            last: at,
        });
        pending.first = pending.first.min(at);
        pending.last = pending.last.max(at);
    }

    fn change(&self, slot: Slot, soft: bool, hard: bool) {
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        let Some(pair) = pairs.get_mut(slot.0 as usize) else {
            return;
        };
        if soft {
            pair.soft = fresh(pair.soft);
        }
        if hard {
            pair.hard = fresh(pair.hard);
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Slot, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a token that differs from all before: a random one, or the next number if the system has no random numbers.
fn fresh(old: Token) -> Token {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Token(bytes),
        Err(_) => Token(u128::from_le_bytes(old.0).wrapping_add(1).to_le_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(tag: &str) -> Slot {
        Slot::of(&Subject::tag(tag).expect("it is a tag"))
    }

    #[test]
    fn a_change_concerns_its_own_subject_and_the_epoch() {
        let table = TokenTable::new();
        let slots = [slot("a"), slot("b")];
        let (epoch, before) = (table.epoch(), table.read(&slots));
        let soft = Revalidation::revalidate_tag("a").expect("it is a tag");
        table.apply(&[soft], Duration::ZERO);
        let after = table.read(&slots);
        assert_ne!(table.epoch(), epoch);
        assert_ne!(after[0].soft, before[0].soft);
        assert_eq!((after[0].hard, after[1]), (before[0].hard, before[1]));
        let hard = Revalidation::expire_tag("a").expect("it is a tag");
        table.apply(&[hard], Duration::ZERO);
        let last = table.read(&slots);
        assert_eq!(last[0].soft, after[0].soft);
        assert_ne!(last[0].hard, after[0].hard);
        table.apply(&[], Duration::ZERO);
        assert_eq!(table.epoch(), epoch + 2);
    }

    #[test]
    fn hard_changes_come_when_they_are_due() {
        let table = TokenTable::new();
        let soft = Revalidation::revalidate_tag("a").expect("it is a tag");
        let seconds = Duration::from_secs;
        for (now, time) in [(0, 10), (2, 3), (3, 12)] {
            table.apply(&[soft.clone().expire_in(seconds(time))], seconds(now));
        }
        let hard = || table.read(&[slot("a")])[0].hard;
        let mut seen = vec![hard()];
        for now in [4, 5, 14, 15, 16] {
            table.tend(seconds(now));
            if seen.last() != Some(&hard()) {
                seen.push(hard());
            }
            let expected = match now {
                4 => 1,
                5..15 => 2,
                _ => 3,
            };
            assert_eq!(seen.len(), expected, "{now}");
        }
        assert!(table.pending().is_empty());
    }
}
