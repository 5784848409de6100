//! The bound on the memory of all instances together.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The least that must be free for another instance: a Rust handler starts with 17 pages of 64 KiB.
const FLOOR: usize = 2 << 20;

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

/// The memory of the instances of one route, which may have three quarters of the total: a route whose instances take all
/// that they can get leaves room for others.
#[derive(Debug)]
pub(crate) struct RouteMemory {
    total: Arc<TotalMemory>,
    used: AtomicUsize,
}

impl RouteMemory {
    /// Makes the account of a route.
    pub(crate) fn new(total: Arc<TotalMemory>) -> Self {
        Self {
            total,
            used: AtomicUsize::new(0),
        }
    }

    /// Reserves `bytes` more, and returns whether there was room.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        let limit = self.total.limit;
        if !reserve(&self.used, bytes, limit - limit / 4) {
            return false;
        }
        let is_reserved = reserve(&self.total.used, bytes, limit);
        if !is_reserved {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        is_reserved
    }

    /// Returns `bytes` that were reserved.
    pub(super) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.total.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns the limit of all routes together, in mebibytes.
    pub(super) fn total_mebibytes(&self) -> usize {
        self.total.mebibytes()
    }
}

/// Adds `bytes` to an account unless that exceeds its limit, and returns whether it did not.
fn reserve(used: &AtomicUsize, bytes: usize, limit: usize) -> bool {
    let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= limit);
    used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
        .is_ok()
}

/// Returns how much memory the machine has, or the control group of the process if that is less.
fn available() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    // A group without a limit says `max`, or a huge number.
    let groups = limit_files(&own).into_iter().filter_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        text.trim().parse().ok()
    });
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.as_deref().and_then(total);
    groups.chain(machine).min()
}

/// Returns the files that may limit the memory of a process, by its `/proc/self/cgroup`: those of its own control group and of the
/// groups above it, as of a service of systemd. In a container, the first group that it sees is its own.
fn limit_files(own: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
    let own = root.join(own.unwrap_or_default());
    let groups = own.ancestors().take_while(|group| group.starts_with(root));
    let version_1 = root.join("memory/memory.limit_in_bytes");
    groups
        .map(|group| group.join("memory.max"))
        .chain([version_1])
        .collect()
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
    fn a_group_is_limited_by_those_above_it() {
        let files = limit_files("0::/system.slice/shop.service\n");
        let expected = [
            "/sys/fs/cgroup/system.slice/shop.service/memory.max",
            "/sys/fs/cgroup/system.slice/memory.max",
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
        for of_container in ["0::/\n", "5:memory:/x\n", ""] {
            assert_eq!(
                limit_files(of_container),
                expected[2..].iter().map(PathBuf::from).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn what_is_released_can_be_reserved_again() {
        let total = Arc::new(TotalMemory::new(Some(8 << 20)));
        let [one, other] = [0; 2].map(|_| RouteMemory::new(Arc::clone(&total)));
        assert!(total.has_room() && !total.is_scarce());
        assert!(one.reserve(4 << 20) && other.reserve(3 << 20));
        assert!(!one.reserve(2 << 20));
        assert!(!total.has_room() && total.is_scarce());
        other.release(3 << 20);
        assert!(one.reserve(2 << 20));
    }

    #[test]
    fn a_route_leaves_a_quarter_to_others() {
        let total = Arc::new(TotalMemory::new(Some(64 << 20)));
        let [greedy, other] = [0; 2].map(|_| RouteMemory::new(Arc::clone(&total)));
        assert!(greedy.reserve(48 << 20));
        assert!(!greedy.reserve(1));
        assert!(other.reserve(16 << 20));
        assert!(!other.reserve(1));
        greedy.release(1);
        assert!(other.reserve(1));
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
