//! [`Invalidations`]: what was invalidated, and when.
//!
//! Time is counted in invalidations: the *epoch* is their number so far. A run notes the epoch before it begins. Its response
//! was invalidated if something that it depends on was invalidated at a later epoch, so nobody has to find the entries that an
//! invalidation concerns.
//!
//! Subjects are hashed to a fixed number of slots, so that no number of tags makes the table grow. Subjects that share a slot
//! are invalidated together, which is safe. The hash has a random key: otherwise a client that chooses a tag could choose one
//! that shares its slot with all pages.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use waypost_cache::revalidation::Change;
use waypost_cache::{Revalidation, Subject, Verdict};

/// The number of slots: a quarter of a megabyte, and with a thousand tags one in sixteen shares its slot.
const SLOTS: u64 = 1 << 14;

/// The slot of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slot(usize);

/// When something was invalidated last.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// The epoch before which responses are stale.
    soft: u64,
    /// The epoch before which responses are gone.
    hard: u64,
}

/// What was invalidated, and when.
pub(super) struct Invalidations {
    hash: RandomState,
    slots: RwLock<Vec<Last>>,
    epoch: AtomicU64,
    pending: Mutex<HashMap<Slot, [Pending; 2]>>,
}

/// A hard invalidation that is still to come, for responses from before an epoch.
#[derive(Clone, Copy)]
struct Pending {
    due: Duration,
    epoch: u64,
}

/// What a response depends on, and the epoch before its run.
#[derive(Clone, Debug)]
pub(super) struct Dependencies {
    pub(super) epoch: u64,
    slots: Vec<Slot>,
}

impl Dependencies {
    /// Returns the memory that this takes, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.slots.len() * size_of::<Slot>()
    }

    /// Returns whether a subject in this slot is among them.
    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.slots.contains(&slot)
    }
}

impl Invalidations {
    /// Makes a table in which nothing was invalidated yet.
    pub(super) fn new() -> Self {
        Self {
            hash: RandomState::new(),
            slots: RwLock::new(vec![Last::default(); SLOTS as usize]),
            epoch: AtomicU64::new(0),
            pending: Mutex::default(),
        }
    }

    /// Returns the number of invalidations so far.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Notes what the response of a run that begins now depends on.
    pub(super) fn dependencies(&self, subjects: &[Subject]) -> Dependencies {
        Dependencies {
            epoch: self.epoch(),
            slots: subjects.iter().map(|subject| self.slot(subject)).collect(),
        }
    }

    /// Adds what the response itself named.
    pub(super) fn with(&self, known: &Dependencies, subjects: &[Subject]) -> Dependencies {
        let more = subjects.iter().map(|subject| self.slot(subject));
        Dependencies {
            epoch: known.epoch,
            slots: known.slots.iter().copied().chain(more).collect(),
        }
    }

    /// Returns whether something that a response depends on was invalidated since its run began.
    pub(super) fn verdict(&self, of: &Dependencies) -> Verdict {
        if of.epoch == self.epoch() {
            return Verdict::Fresh;
        }
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let last = of.slots.iter().filter_map(|slot| slots.get(slot.0));
        let verdict = last.map(|last| match (last.hard > of.epoch, last.soft > of.epoch) {
            (true, _) => Verdict::Gone,
            (false, true) => Verdict::Stale,
            (false, false) => Verdict::Fresh,
        });
        verdict.fold(Verdict::Fresh, Verdict::and)
    }

    /// Returns whether one of these was invalidated after an epoch.
    pub(super) fn verdict_since(&self, epoch: u64, subjects: &[Subject]) -> Verdict {
        self.verdict(&Dependencies {
            epoch,
            ..self.dependencies(subjects)
        })
    }

    /// Applies the revalidations of a response. When this returns, no response that they concern is fresh.
    ///
    /// `now` is a time since the Unix epoch.
    pub(super) fn apply(&self, revalidations: &[Revalidation], now: Duration) {
        if revalidations.is_empty() {
            return;
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let epoch = self.epoch() + 1;
        for revalidation in revalidations {
            let slot = self.slot(&revalidation.subject);
            let Some(last) = slots.get_mut(slot.0) else {
                continue;
            };
            match revalidation.change {
                Change::Soft => last.soft = epoch,
                Change::Hard => last.hard = epoch,
                Change::SoftThenHard(time) => {
                    last.soft = epoch;
                    let due = now.saturating_add(time);
                    self.later(slot, Pending { due, epoch });
                }
            }
        }
        // The lock is still held: whoever sees the new epoch sees the slots.
        self.epoch.store(epoch, Ordering::Release);
    }

    /// Makes the hard invalidations that are due. They concern responses from before the call that asked for them.
    pub(super) fn tend(&self, now: Duration) {
        let mut due = Vec::new();
        self.pending().retain(|slot, pending| {
            let came = pending.iter().filter(|pending| pending.due <= now);
            due.extend(came.map(|pending| (*slot, pending.epoch)));
            let [first, last] = *pending;
            *pending = [if first.due <= now { last } else { first }, last];
            last.due > now
        });
        if due.is_empty() {
            return;
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        for (slot, epoch) in due {
            if let Some(last) = slots.get_mut(slot.0) {
                last.hard = last.hard.max(epoch);
            }
        }
        let epoch = self.epoch() + 1;
        self.epoch.store(epoch, Ordering::Release);
    }

    /// Notes a hard invalidation that is to come. Of a slot, two are kept: a third one makes the second one concern more
    /// responses, or come earlier, which is safe.
    fn later(&self, slot: Slot, new: Pending) {
        let mut pending = self.pending();
        let [first, last] = pending.entry(slot).or_insert([new; 2]);
        if first.epoch == last.epoch && new.due >= first.due {
            *last = new;
        } else {
            last.due = last.due.min(new.due);
            last.epoch = new.epoch;
        }
    }

    /// Returns the slot of a subject.
    pub(super) fn slot(&self, subject: &Subject) -> Slot {
        let hash = self.hash.hash_one(subject) % SLOTS;
        // It is below the number of slots.
        Slot(usize::try_from(hash).unwrap_or_default())
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Slot, [Pending; 2]>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(tag: &str) -> Subject {
        Subject::tag(tag).expect("it is a tag")
    }

    fn run(table: &Invalidations, tag: &str) -> Dependencies {
        table.dependencies(&[subject("other"), subject(tag)])
    }

    #[test]
    fn an_invalidation_concerns_what_was_made_before() {
        let table = Invalidations::new();
        let soft = Revalidation::revalidate_tag("a").expect("it is a tag");
        let hard = Revalidation::expire_tag("a").expect("it is a tag");
        let (a, b) = (run(&table, "a"), run(&table, "b"));
        table.apply(&[soft], Duration::ZERO);
        assert_eq!(
            (table.verdict(&a), table.verdict(&b)),
            (Verdict::Stale, Verdict::Fresh)
        );
        let between = run(&table, "a");
        table.apply(&[hard], Duration::ZERO);
        assert_eq!(table.verdict(&a), Verdict::Gone);
        assert_eq!(table.verdict(&between), Verdict::Gone);
        assert_eq!(table.verdict(&run(&table, "a")), Verdict::Fresh);
        table.apply(&[], Duration::ZERO);
        assert_eq!(table.epoch(), 2);
        // A tag that is known only after the run counts from its beginning.
        let later = table.with(&b, &[subject("a")]);
        assert_eq!(table.verdict(&later), Verdict::Gone);
    }

    #[test]
    fn what_is_left_ends_when_its_time_has_come() {
        let table = Invalidations::new();
        let seconds = Duration::from_secs;
        let expire_in = |now, time| {
            let soft = Revalidation::revalidate_tag("a").expect("it is a tag");
            table.apply(&[soft.expire_in(seconds(time))], seconds(now));
        };
        let first = run(&table, "a");
        expire_in(0, 10);
        let second = run(&table, "a");
        expire_in(5, 10);
        let third = run(&table, "a");
        for (now, expected) in [
            (9, [Verdict::Stale, Verdict::Stale, Verdict::Fresh]),
            (10, [Verdict::Gone, Verdict::Stale, Verdict::Fresh]),
            (14, [Verdict::Gone, Verdict::Stale, Verdict::Fresh]),
            (15, [Verdict::Gone, Verdict::Gone, Verdict::Fresh]),
            (99, [Verdict::Gone, Verdict::Gone, Verdict::Fresh]),
        ] {
            table.tend(seconds(now));
            let all = [&first, &second, &third].map(|run| table.verdict(run));
            assert_eq!(all, expected, "{now}");
        }
        assert!(table.pending().is_empty());
    }

    #[test]
    fn no_number_of_calls_takes_more_than_two_places() {
        let table = Invalidations::new();
        let seconds = Duration::from_secs;
        for now in 0..100 {
            let soft = Revalidation::revalidate_tag("a").expect("it is a tag");
            table.apply(&[soft.expire_in(seconds(10))], seconds(now));
            table.tend(seconds(now));
        }
        assert_eq!(table.pending().len(), 1);
        let last = run(&table, "a");
        table.tend(seconds(1000));
        assert_eq!(table.verdict(&last), Verdict::Fresh);
    }
}
