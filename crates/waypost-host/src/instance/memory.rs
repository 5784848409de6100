//! The bound on the memory of an instance.

use wasmtime::ResourceLimiter;

/// Lets the memories of one instance grow up to a limit together.
///
/// A guest that asks for more sees `memory.grow` fail, as the specification has it; Rust then aborts.
pub(crate) struct MemoryLimit {
    limit: usize,
    used: usize,
    refused: bool,
}

impl MemoryLimit {
    /// Allows `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            used: 0,
            refused: false,
        }
    }

    /// Returns a note that the limit was reached, if it was: the likely cause of a trap that follows.
    pub(crate) fn remark(&self) -> Option<String> {
        let mebibytes = self.limit >> 20;
        self.refused.then(|| {
            format!(
                "it had reached its memory limit of {mebibytes} MiB (`memory` in `waypost.toml`)"
            )
        })
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        let granted = used <= self.limit;
        if granted {
            self.used = used;
        } else {
            self.refused = true;
        }
        Ok(granted)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_the_limit() {
        let mut limit = MemoryLimit::new(2 << 20);
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
        assert_eq!(limit.remark(), None);
        assert!(
            limit
                .memory_growing(1 << 20, 2 << 20, None)
                .is_ok_and(|granted| !granted)
        );
        assert!(
            limit
                .remark()
                .is_some_and(|remark| remark.contains("2 MiB"))
        );
    }
}
