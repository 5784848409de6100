//! The tables of the file, and what is done in one transaction.

use super::Written;
use crate::wasi::key_value::sizes;
use redb::{
    Database, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageError, TableDefinition, TableError, WriteTransaction,
};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use waypost_config::settings::StoreLimits;

/// The store and the key of an entry.
type Name<'n> = (&'n str, &'n str);

/// The table of entries, to a reader.
pub(super) type ReadEntries = ReadOnlyTable<Name<'static>, &'static [u8]>;

/// Every entry of every store.
const ENTRIES: TableDefinition<'static, Name<'static>, &[u8]> = TableDefinition::new("entries");

/// What each store counts for, kept in step with its entries.
const SIZES: TableDefinition<'static, &str, u64> = TableDefinition::new("sizes");

/// A number that is written to see whether the file can be.
const PROBE: TableDefinition<'static, (), u64> = TableDefinition::new("probe");

/// Opens the table of entries, or returns `None` if nothing was ever written.
pub(super) fn read(transaction: &ReadTransaction) -> Result<Option<ReadEntries>, redb::Error> {
    match transaction.open_table(ENTRIES) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns what all entries count for. A file of an earlier version, which has no sizes yet, gets them.
pub(super) fn count(database: &Database) -> Result<u64, DatabaseError> {
    sum(database).map_err(|error| match error {
        redb::Error::Io(error) => error.into(),
        error => StorageError::Corrupted(error.to_string()).into(),
    })
}

fn sum(database: &Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_read()?;
    match transaction.open_table(SIZES) {
        Ok(sizes) => return total(&sizes),
        Err(TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(entries) = read(&transaction)? else {
        return Ok(0);
    };
    let mut counted = BTreeMap::<String, u64>::new();
    for entry in entries.iter()? {
        let (name, value) = entry?;
        let (store, key) = name.value();
        let size = sizes::entry(store, key, value.value().len());
        match counted.get_mut(store) {
            Some(sum) => *sum += size,
            None => drop(counted.insert(store.to_owned(), size)),
        }
    }
    let transaction = database.begin_write()?;
    {
        let mut sizes = transaction.open_table(SIZES)?;
        for (store, size) in &counted {
            sizes.insert(store.as_str(), size)?;
        }
    }
    transaction.commit()?;
    Ok(counted.values().sum())
}

fn total(sizes: &impl ReadableTable<&'static str, u64>) -> Result<u64, redb::Error> {
    let mut total = 0;
    for entry in sizes.iter()? {
        total += entry?.1.value();
    }
    Ok(total)
}

/// Writes an entry, unless it takes more than is allowed.
pub(super) fn set(
    transaction: &WriteTransaction,
    name: Name<'_>,
    value: &[u8],
    limits: &StoreLimits,
) -> Result<Written, redb::Error> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let old = size_of(&entries, name)?;
    let new = sizes::entry(name.0, name.1, value.len());
    let (size, data) = resize(transaction, name.0, old, new)?;
    if new > old
        && let Err(refused) = sizes::check_growth(limits, size, data)
    {
        return Ok(Written::Refused(refused));
    }
    entries.insert(name, value)?;
    Ok(Written::Committed { data })
}

/// Deletes an entry, if there is one.
pub(super) fn delete(
    transaction: &WriteTransaction,
    name: Name<'_>,
) -> Result<Written, redb::Error> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let old = size_of(&entries, name)?;
    if entries.remove(name)?.is_none() {
        return Ok(Written::Unchanged);
    }
    let (_, data) = resize(transaction, name.0, old, 0)?;
    Ok(Written::Committed { data })
}

/// Returns what an entry counts for, or 0 if there is none.
fn size_of(
    entries: &impl ReadableTable<Name<'static>, &'static [u8]>,
    name: Name<'_>,
) -> Result<u64, redb::Error> {
    let value = entries.get(name)?;
    Ok(value.map_or(0, |value| sizes::entry(name.0, name.1, value.value().len())))
}

/// Counts an entry anew; returns the sizes of its store and of all stores.
fn resize(
    transaction: &WriteTransaction,
    store: &str,
    old: u64,
    new: u64,
) -> Result<(u64, u64), redb::Error> {
    let mut sizes = transaction.open_table(SIZES)?;
    let before = sizes.get(store)?.map_or(0, |size| size.value());
    let size = before.saturating_sub(old).saturating_add(new);
    sizes.insert(store, size)?;
    Ok((size, total(&sizes)?))
}

/// Lists the keys of a store after one of them, in their order.
pub(super) fn keys(
    entries: &ReadEntries,
    store: &str,
    after: Option<&str>,
    most: usize,
) -> Result<Vec<String>, redb::Error> {
    let start = match after {
        Some(after) => Excluded((store, after)),
        None => Included((store, "")),
    };
    let mut keys = Vec::new();
    for entry in entries.range::<Name<'_>>((start, Unbounded))?.take(most) {
        let (name, _) = entry?;
        let (owner, key) = name.value();
        if owner != store {
            break;
        }
        keys.push(key.to_owned());
    }
    Ok(keys)
}

/// Writes a number that differs each time.
pub(super) fn probe(transaction: &WriteTransaction) -> Result<Written, redb::Error> {
    let mut probe = transaction.open_table(PROBE)?;
    let last = probe.get(())?.map_or(0, |number| number.value());
    probe.insert((), last.wrapping_add(1))?;
    let data = total(&transaction.open_table(SIZES)?)?;
    Ok(Written::Committed { data })
}
