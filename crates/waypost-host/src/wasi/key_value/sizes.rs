//! What the stores may take, and how an entry is counted.

use super::StoreError;
use crate::observe::metrics::Bound;
use waypost_config::settings::StoreLimits;

/// The file may be this many times as long as what is counted: a write needs room for a second copy, redb grows its
/// file by doubling it, and pages that many small entries share are not always full.
const SHARE: u64 = 4;

/// What an entry takes beside its names and its value.
const OVERHEAD: u64 = 32;

/// A page of the file. An entry that fills more than half of one has pages of its own, whose number is a power of two.
const PAGE: u64 = 4096;

/// Returns how much all stores of the app may hold together.
pub(super) fn total(limits: &StoreLimits) -> u64 {
    limits.file / SHARE
}

/// Checks a key and a value before they are written.
///
/// # Errors
///
/// If one of them is too long.
pub(super) fn check_entry(limits: &StoreLimits, key: &str, value: &[u8]) -> Result<(), StoreError> {
    let entry = [
        (key.len(), limits.key, "the key", Bound::StoreKey),
        (value.len(), limits.value, "the value", Bound::StoreValue),
    ];
    for (length, most, what, bound) in entry {
        if u64::try_from(length).unwrap_or(u64::MAX) > most {
            let found = format!("{what} has {length} bytes, of {most} allowed");
            return Err(StoreError::over(bound, &found));
        }
    }
    Ok(())
}

/// Checks what a store, and all stores of the app, would hold after a write that makes them larger.
///
/// # Errors
///
/// If one of them would be too large.
pub(super) fn check_growth(limits: &StoreLimits, store: u64, all: u64) -> Result<(), StoreError> {
    if store > limits.size {
        let found = format!("the store would hold more than {} bytes", limits.size);
        return Err(StoreError::over(Bound::StoreSize, &found));
    }
    let total = total(limits);
    if all > total {
        let found = format!(
            "all stores together would hold more than {total} bytes, a quarter of their file"
        );
        return Err(StoreError::over(Bound::StoreFile, &found));
    }
    Ok(())
}

/// Returns whether a file wastes so much that it should be compacted.
pub(super) fn is_wasteful(file: u64, data: u64) -> bool {
    /// Smaller files are left alone.
    const SMALL: u64 = 16 << 20;
    file > SMALL && file > data.saturating_mul(SHARE)
}

/// Returns what an entry counts for: about what it takes on disk.
pub(super) fn entry(store: &str, key: &str, value: usize) -> u64 {
    let bytes = store.len().saturating_add(key.len()).saturating_add(value);
    let size = u64::try_from(bytes).unwrap_or(u64::MAX / 4) + OVERHEAD;
    match size {
        // Pages that entries share may be half empty.
        _ if size <= PAGE / 2 => size * 2,
        _ => size.max(PAGE).next_power_of_two(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_counts_as_what_it_takes() {
        for (value, size) in [
            (0, 2 * 34),
            (1000, 2 * 1034),
            (2014, 4096),
            (2015, 4096),
            (4062, 4096),
            (4063, 8192),
            (1 << 20, 2 << 20),
        ] {
            assert_eq!(entry("s", "k", value), size, "{value}");
        }
    }
}
