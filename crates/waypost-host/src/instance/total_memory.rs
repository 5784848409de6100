//! The bound on the memory of all instances together.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The least that must be free for another instance: a Rust handler starts with 17 pages of 64 KiB.
const FLOOR: usize = 2 << 20;

/// An instance that has no more than this may use the last eighth of the total: so a route whose instances take all that they
/// can get leaves room for others.
const SMALL: usize = 4 << 20;

/// What is assumed where the system does not say how much memory it has.
const ASSUMED: u64 = 1 << 30;

/// How much memory the instances of an app have, and how much they may have.
#[derive(Debug)]
pub(crate) struct TotalMemory {
    limit: usize,
    used: AtomicUsize,
}

impl TotalMemory {
    /// Allows `limit` bytes, or half of what the machine or the container has. The other half is for what the host holds,
    /// for compiled code and for the system.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        let limit = limit.unwrap_or_else(|| available().unwrap_or(ASSUMED) / 2);
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            used: AtomicUsize::new(0),
        }
    }

    /// Reserves `bytes` more for an instance that has `own` then, and returns whether there was room.
    pub(super) fn reserve(&self, bytes: usize, own: usize) -> bool {
        let limit = match own <= SMALL {
            true => self.limit,
            false => self.limit - self.limit / 8,
        };
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= limit);
        let updated = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        updated.is_ok()
    }

    /// Returns `bytes` that were reserved.
    pub(super) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns whether another instance may start.
    pub(super) fn has_room(&self) -> bool {
        self.free() >= FLOOR
    }

    /// Returns whether so little is left that idle instances must go.
    pub(super) fn is_scarce(&self) -> bool {
        self.free() < self.limit / 4
    }

    /// Returns the limit in mebibytes.
    pub(super) fn mebibytes(&self) -> usize {
        self.limit >> 20
    }

    fn free(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }
}

/// Returns how much memory the machine has, or the control group of the process if that is less.
fn available() -> Option<u64> {
    // Version 2 of control groups, version 1, and the machine. A group without a limit says `max`, or a huge number.
    let group = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let group = group.iter().filter_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        text.trim().parse().ok()
    });
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.as_deref().and_then(total);
    group.chain(machine).min()
}

/// Returns the memory of a machine by the text of `/proc/meminfo`, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_released_can_be_reserved_again() {
        let total = TotalMemory::new(Some(8 << 20));
        assert!(total.has_room() && !total.is_scarce());
        assert!(total.reserve(7 << 20, 7 << 20));
        assert!(!total.reserve(2 << 20, 2 << 20));
        assert!(!total.has_room() && total.is_scarce());
        total.release(7 << 20);
        assert!(total.reserve(6 << 20, 6 << 20));
    }

    #[test]
    fn the_last_of_the_total_is_for_small_instances() {
        let total = TotalMemory::new(Some(64 << 20));
        assert!(!total.reserve(57 << 20, 57 << 20));
        assert!(total.reserve(56 << 20, 56 << 20));
        assert!(!total.reserve(1 << 20, SMALL + 1));
        assert!(total.reserve(8 << 20, SMALL));
    }

    #[test]
    fn the_machine_says_how_much_it_has() {
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       16 kB\n"),
            Some(16_384)
        );
        assert_eq!(total("nonsense"), None);
        assert!(available().is_some_and(|bytes| bytes > 16 << 20));
    }
}
