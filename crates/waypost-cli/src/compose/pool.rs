//! What a composition takes from the pools of its host.

use std::fmt::Write as _;

use crate::anatomy::Anatomy;

/// What `wasmtime serve` has of each: core instances, memories and tables.
const POOL: usize = 1_000;

/// How many instances at once are enough for a busy app: `wasmtime serve` runs 16 requests in each.
const INSTANCES: usize = 16;

/// What one instance of a composition takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    core_instances: usize,
    memories: usize,
    tables: usize,
}

impl Demand {
    /// Adds up what the parts of a composition of `handlers` routes take. Between the router and each handler
    /// the host makes one module more, the adapter.
    pub(super) fn of(anatomy: &Anatomy, handlers: usize) -> Demand {
        Demand {
            core_instances: anatomy.core_instances + handlers,
            memories: anatomy.memories,
            tables: anatomy.tables,
        }
    }

    /// How many instances the pools of `wasmtime serve` hold, as they are.
    pub fn instances(&self) -> usize {
        let largest = self.core_instances.max(self.memories).max(self.tables);
        POOL / largest.max(1)
    }

    /// The flags that make the pools of `wasmtime serve` large enough, where they are too small for a busy app.
    pub fn flags(&self) -> Option<String> {
        if self.instances() >= INSTANCES {
            return None;
        }
        let mut flags = String::new();
        for (pool, each) in [
            ("core-instances", self.core_instances),
            ("memories", self.memories),
            ("tables", self.tables),
        ] {
            let needed = each * INSTANCES;
            if needed > POOL {
                // Writing to a text can't fail.
                let _ = write!(flags, " -O pooling-total-{pool}={needed}");
            }
        }
        Some(flags.trim_start().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(core_instances: usize, memories: usize, tables: usize) -> Demand {
        Demand {
            core_instances,
            memories,
            tables,
        }
    }

    #[test]
    fn a_small_app_needs_no_flags() {
        assert_eq!(demand(10, 3, 6).flags(), None);
        assert_eq!(demand(62, 20, 40).instances(), 16);
    }

    #[test]
    fn a_large_app_needs_what_is_too_small() {
        let flags = demand(120, 31, 62).flags().unwrap();
        assert_eq!(flags, "-O pooling-total-core-instances=1920");
        let flags = demand(400, 100, 200).flags().unwrap();
        let all = "-O pooling-total-core-instances=6400 -O pooling-total-memories=1600 \
                   -O pooling-total-tables=3200";
        assert_eq!(flags, all);
    }
}
