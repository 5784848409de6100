//! What the key-value stores of an app may take.

use super::super::quantity::{read_count, read_size};
use super::{KIB, MIB, bounds};
use crate::document::{Collector, Table};

/// What the key-value stores of an app may take. A call that would go beyond it is an error to the guest.
///
/// An entry counts for about what it takes on disk: with its names, 32 bytes more, and from 2 KiB on rounded up to a power
/// of two; smaller ones count twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// How many bytes a key may have (`store_key`). Default: 1 KiB.
    pub key: u64,
    /// How many bytes a value may have (`store_value`). Default: 4 MiB.
    pub value: u64,
    /// For how many bytes the entries of one store may count (`store_size`). Default: 128 MiB.
    pub size: u64,
    /// How many bytes the file of all stores may have (`store_file`); the entries of all stores may count for a quarter of
    /// it. Default: 1 GiB.
    pub file: u64,
    /// How many keys `get-keys` returns as one list, as components of WASI 0.2 get them (`store_list`). Default: 10,000.
    pub list: usize,
    /// How many bytes of the file the host may keep in memory (`store_cache`). Default: 16 MiB.
    pub cache: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            key: KIB,
            value: 4 * MIB,
            size: 128 * MIB,
            file: 1024 * MIB,
            list: 10_000,
            cache: 16 * MIB,
        }
    }
}

/// Reads the limits of stores from `[limits]`.
pub(super) fn read(
    table: &Table<'_>,
    defaults: &StoreLimits,
    faults: &mut Collector,
) -> StoreLimits {
    let mut size = |key, bounds, default| read_size(table, key, bounds, faults).unwrap_or(default);
    StoreLimits {
        key: size("store_key", &bounds::STORE_KEY, defaults.key),
        value: size("store_value", &bounds::STORE_VALUE, defaults.value),
        size: size("store_size", &bounds::STORE_SIZE, defaults.size),
        file: size("store_file", &bounds::STORE_FILE, defaults.file),
        cache: size("store_cache", &bounds::STORE_CACHE, defaults.cache),
        list: read_count(table, "store_list", &bounds::STORE_LIST, faults).unwrap_or(defaults.list),
    }
}
