//! The data cache: values that a handler computed or fetched, which the host keeps for later requests.
//!
//! A handler asks for a value by HTTP in memory (`waypost_cache::data`), so a component needs no import for it. On a host
//! without a data cache each value is made anew. Components that cache no data don't contain this code.

pub(crate) mod client;
pub(crate) mod options;
pub(crate) mod scope;
pub(crate) mod value;

use waypost_cache::Life;

/// A value to cache.
pub struct Entry {
    /// The identity of the value within its component.
    pub(crate) key: Vec<u8>,
    /// The tags by which it is revalidated.
    pub(crate) tags: Vec<String>,
    /// How long it is fresh, and how long it is kept.
    pub(crate) life: Life,
}

/// The first byte of a key, so that those of one kind are never those of another.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A function with the attribute [`cached`](macro@crate::cached).
    Function = b'f',
    /// A key of [`Cache::get_or`](crate::Cache::get_or).
    Named = b'n',
    /// A [`fetch`](crate::fetch).
    Fetch = b'h',
}
