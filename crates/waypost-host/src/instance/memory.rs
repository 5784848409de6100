//! The bounds on the memory of an instance: its own memories, and what the host holds for it.

use super::lifecycle::Lifecycle;
use super::over_bound::OverBound;
use super::total_memory::RouteMemory;
use crate::observe::metrics::Bound;
use std::sync::Arc;
use wasmtime::{ResourceLimiter, Store};
use waypost_config::settings::StoreLimits;

/// The size of one map of header fields that a guest fills, as Wasmtime counts it: names, values, and some tens of bytes
/// for each. A head of `header_size` fits, with the overhead of `header_count` fields.
pub(super) const FIELDS_BYTES: usize = 128 << 10;

/// The random bytes that a guest gets in one call: twice what the Web allows. The host makes them in about a millisecond, less
/// than a guest may compute before others have their turn.
pub(super) const RANDOM_BYTES: u64 = 128 << 10;

/// The bytes of one call beside an entry of a store.
const CALL_BYTES: u64 = 1 << 20;

/// The fewest handles that an instance may hold: a handler with a hundred outbound requests under way has some six
/// for each.
const LEAST_HANDLES: usize = 1_024;

/// The most handles that an instance may hold.
const MOST_HANDLES: usize = 4_096;

/// Returns how many handles an instance may hold: so many that, were each the largest map of header fields, they would
/// take about as much of the host as the instance's own memories may take.
pub(super) fn handles(memory: u64) -> usize {
    let memory = usize::try_from(memory).unwrap_or(usize::MAX);
    (memory / FIELDS_BYTES).clamp(LEAST_HANDLES, MOST_HANDLES)
}

/// Bounds what the host holds for the instance in `store`, and how long one call of the host takes. A guest that asks for more
/// traps.
pub(super) fn bound_host_objects<T>(store: &mut Store<T>, memory: u64, stores: &StoreLimits) {
    store.set_max_component_handles(handles(memory));
    // Lists may overlap in the guest, and are copied one by one.
    store.set_hostcall_fuel(call_bytes(stores));
}

/// Returns how many bytes all strings and lists of one call may have together: a call is not interrupted. Only an entry of a
/// store has more than a megabyte.
fn call_bytes(stores: &StoreLimits) -> usize {
    let entry = stores.value.saturating_add(stores.key);
    usize::try_from(entry.saturating_add(CALL_BYTES)).unwrap_or(usize::MAX)
}

/// Limits all memories of one instance together. What they grow by counts towards the memory of the route.
///
/// A guest that asks for more sees `memory.grow` fail, as the specification has it; Rust then aborts.
pub(crate) struct MemoryLimit {
    limit: usize,
    used: usize,
    /// What the memory that grew last has grown by.
    last: usize,
    route: Arc<RouteMemory>,
    refused: Option<Refused>,
    lifecycle: Arc<Lifecycle>,
}

/// The limit that stopped an instance from growing.
#[derive(Clone, Copy)]
enum Refused {
    Own,
    Total,
}

impl MemoryLimit {
    /// Allows `limit` bytes to the instance with this lifecycle, within what its route may have.
    pub(crate) fn new(limit: u64, route: Arc<RouteMemory>, lifecycle: Arc<Lifecycle>) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            used: 0,
            last: 0,
            route,
            refused: None,
            lifecycle,
        }
    }

    /// Returns whether the last request for more exceeded what all instances, or those of the route, may have.
    pub(super) fn lacked_total(&self) -> bool {
        matches!(self.refused, Some(Refused::Total))
    }

    /// Returns the bound that was exceeded, if any: the likely cause of a trap that follows.
    pub(super) fn exceeded(&self) -> Option<OverBound> {
        let (bound, remark) = match self.refused? {
            Refused::Own => {
                let limit = self.limit >> 20;
                let remark = format!(
                    "it had reached its memory limit of {limit} MiB (`memory` in `waypost.toml`)"
                );
                (Bound::Memory, remark)
            }
            Refused::Total => {
                let limit = self.route.total_mebibytes();
                let remark = format!(
                    "all instances together had reached their limit of {limit} MiB, or those of this route three quarters of it (`total_memory` in `waypost.toml`)"
                );
                (Bound::TotalMemory, remark)
            }
        };
        let remark = Some(remark);
        Some(OverBound { bound, remark })
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let used = self.used.saturating_add(more);
        if used > self.limit {
            self.refused = Some(Refused::Own);
            return Ok(false);
        }
        if !self.route.reserve(more) {
            self.refused = Some(Refused::Total);
            self.lifecycle.lack_memory();
            return Ok(false);
        }
        self.used = used;
        self.last = more;
        Ok(true)
    }

    /// Called after a growth that was allowed, but exceeds the maximum that the memory itself declares.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        let more = std::mem::take(&mut self.last);
        self.used = self.used.saturating_sub(more);
        self.route.release(more);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The engine's pool bounds the elements of tables.
        Ok(true)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.route.release(self.used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::total_memory::TotalMemory;

    fn limit(bytes: u64, total: &Arc<TotalMemory>) -> MemoryLimit {
        let route = Arc::new(RouteMemory::new(Arc::clone(total)));
        MemoryLimit::new(bytes, route, Arc::default())
    }

    #[test]
    fn instances_share_the_total() {
        let total = Arc::new(TotalMemory::new(Some(3 << 20)));
        let (mut one, mut other) = (limit(2 << 20, &total), limit(2 << 20, &total));
        let grow = |limit: &mut MemoryLimit| limit.memory_growing(0, 2 << 20, None);
        assert!(grow(&mut one).is_ok_and(|granted| granted));
        assert!(grow(&mut other).is_ok_and(|granted| !granted));
        let over = other.exceeded().expect("the total is used up");
        assert_eq!(over.bound, Bound::TotalMemory);
        let remark = over.remark.expect("it names the key");
        assert!(remark.contains("total_memory"), "{remark}");
        drop(one);
        assert!(grow(&mut other).is_ok_and(|granted| granted));
    }

    #[test]
    fn handles_follow_the_memory() {
        assert_eq!(handles(128 << 20), 1_024);
        assert_eq!(handles(256 << 20), 2_048);
        assert_eq!(handles(1 << 20), LEAST_HANDLES);
        assert_eq!(handles(u64::MAX), MOST_HANDLES);
    }

    #[test]
    fn a_growth_that_fails_is_not_counted() {
        let total = Arc::new(TotalMemory::new(Some(4 << 20)));
        let mut limit = limit(2 << 20, &total);
        for _ in 0..3 {
            let grown = limit.memory_growing(0, 2 << 20, None);
            assert!(grown.is_ok_and(|granted| granted));
            let failed = wasmtime::format_err!("more than its maximum");
            assert!(limit.memory_grow_failed(failed).is_ok());
        }
    }

    #[test]
    fn memories_share_the_limit() {
        let mut limit = limit(2 << 20, &Arc::new(TotalMemory::new(None)));
        assert!(
            limit
                .memory_growing(0, 1 << 20, None)
                .is_ok_and(|granted| granted)
        );
        assert!(
            limit
                .memory_growing(0, 1 << 20, None)
                .is_ok_and(|granted| granted)
        );
        assert!(limit.exceeded().is_none());
        assert!(
            limit
                .memory_growing(1 << 20, 2 << 20, None)
                .is_ok_and(|granted| !granted)
        );
        assert!(
            limit
                .exceeded()
                .is_some_and(|over| over.remark.is_some_and(|remark| remark.contains("2 MiB")))
        );
    }
}
