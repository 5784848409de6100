//! The resources that a composition takes from the pools of its host.

use std::fmt::Write as _;

use crate::anatomy::Anatomy;

/// The size of each pool of `wasmtime serve`: core instances, memories and tables.
const POOL: usize = 1_000;

/// The space of `wasmtime serve` for the records of one instance, in bytes.
const RECORDS: usize = 1 << 20;

/// The size of Wasmtime 48's record for each function that a module imports, exports or has in a table, for each core
/// instance, and for each component with a memory, in bytes. By Wasmtime's own message, the sum is 1 % too low for a
/// composition of 22 routes and 2 % too high for one of 90.
const FUNCTION_RECORD: usize = 32;
const CORE_INSTANCE_RECORD: usize = 1_600;
const COMPONENT_RECORD: usize = 2_700;

/// The number of instances that is enough for a busy app. `wasmtime serve` runs 16 requests in each, but creates one
/// for each request that arrives while none is free, as at the start of a rush.
const INSTANCES: usize = 32;

/// The number of instances for which the flags make room: twice as many, because unused room costs nothing.
const ROOM: usize = 64;

/// The number of requests that an instance should serve if it is expensive to create. The default is 128.
const REUSE: usize = 10_000;

/// The resources that one instance of a composition takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    core_instances: usize,
    memories: usize,
    tables: usize,
    records: usize,
}

impl Demand {
    /// Adds up the resources of the parts of a composition. `adapters` is the number of modules that the host adds
    /// between the parts.
    pub(super) fn of(anatomy: &Anatomy, adapters: usize) -> Demand {
        Demand {
            core_instances: anatomy.core_instances + adapters,
            memories: anatomy.memories,
            tables: anatomy.tables,
            records: anatomy.functions * FUNCTION_RECORD
                + anatomy.core_instances * CORE_INSTANCE_RECORD
                + anatomy.memories * COMPONENT_RECORD,
        }
    }

    /// Returns how many instances the default pools of `wasmtime serve` hold.
    pub fn instances(&self) -> usize {
        if self.is_over_size() {
            return 0;
        }
        let largest = self.core_instances.max(self.memories).max(self.tables);
        POOL / largest.max(1)
    }

    /// Returns whether the records of one instance may be too large. A tenth is left for the error of the estimate.
    fn is_over_size(&self) -> bool {
        self.records > RECORDS / 10 * 9
    }

    /// Returns the flags that `wasmtime serve` needs to serve it well, or `None` if it needs none.
    pub fn flags(&self) -> Option<String> {
        if self.instances() >= INSTANCES {
            return None;
        }
        let mut flags = format!("--max-instance-reuse-count {REUSE}");
        for (pool, each) in [
            ("core-instances", self.core_instances),
            ("memories", self.memories),
            ("tables", self.tables),
        ] {
            let needed = each * ROOM;
            if needed > POOL {
                // Writing to a text can't fail.
                let _ = write!(flags, " -O pooling-total-{pool}={needed}");
            }
        }
        if self.is_over_size() {
            let size = (2 * self.records).next_multiple_of(RECORDS);
            let _ = write!(flags, " -O pooling-max-component-instance-size={size}");
        }
        Some(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(core_instances: usize, memories: usize, tables: usize, records: usize) -> Demand {
        Demand {
            core_instances,
            memories,
            tables,
            records,
        }
    }

    #[test]
    fn a_small_app_needs_no_flags() {
        assert_eq!(demand(10, 3, 3, 90_000).flags(), None);
        assert_eq!(demand(31, 10, 10, 400_000).flags(), None);
        assert_eq!(demand(31, 10, 10, 400_000).instances(), 32);
    }

    #[test]
    fn a_large_app_needs_what_is_too_small() {
        let flags = demand(120, 31, 62, 600_000).flags().unwrap();
        let some = "--max-instance-reuse-count 10000 -O pooling-total-core-instances=7680 \
                    -O pooling-total-memories=1984 -O pooling-total-tables=3968";
        assert_eq!(flags, some);
        let large = demand(300, 100, 100, 1_900_000);
        let all = "--max-instance-reuse-count 10000 -O pooling-total-core-instances=19200 \
                   -O pooling-total-memories=6400 -O pooling-total-tables=6400 \
                   -O pooling-max-component-instance-size=4194304";
        assert_eq!(
            (large.instances(), large.flags().as_deref()),
            (0, Some(all))
        );
    }
}
