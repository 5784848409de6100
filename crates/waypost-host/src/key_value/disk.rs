//! Stores in one file on disk, kept by redb: a write is on disk before its call returns.

use super::{Backend, StoreError};
use redb::{Database, ReadableDatabase, TableDefinition, TableError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Every entry of every store, by store and key.
const ENTRIES: TableDefinition<'static, (&str, &str), &[u8]> = TableDefinition::new("entries");

/// Opens its file when it is first needed.
pub(super) struct Disk {
    file: PathBuf,
    database: Mutex<Option<Arc<Database>>>,
}

impl Disk {
    /// Keeps the stores in `file`.
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            database: Mutex::new(None),
        }
    }

    fn database(&self) -> Result<Arc<Database>, StoreError> {
        let mut slot = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*slot {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(open(&self.file)?);
        *slot = Some(Arc::clone(&database));
        Ok(database)
    }

    fn read<T>(
        &self,
        missing: T,
        read: impl FnOnce(
            redb::ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
        ) -> redb::Result<T>,
    ) -> Result<T, StoreError> {
        let transaction = self.database()?.begin_read().map_err(|e| self.failed(e))?;
        match transaction.open_table(ENTRIES) {
            Ok(table) => read(table).map_err(|e| self.failed(e)),
            // The first write makes the table.
            Err(TableError::TableDoesNotExist(_)) => Ok(missing),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn write(
        &self,
        write: impl FnOnce(
            &mut redb::Table<'_, (&'static str, &'static str), &'static [u8]>,
        ) -> redb::Result<()>,
    ) -> Result<(), StoreError> {
        let transaction = self.database()?.begin_write().map_err(|e| self.failed(e))?;
        {
            let mut table = transaction
                .open_table(ENTRIES)
                .map_err(|e| self.failed(e))?;
            write(&mut table).map_err(|e| self.failed(e))?;
        }
        transaction.commit().map_err(|e| self.failed(e))
    }

    fn failed(&self, error: impl std::fmt::Display) -> StoreError {
        failed(&self.file, error)
    }
}

fn open(file: &Path) -> Result<Database, StoreError> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(file, e))?;
    }
    Database::create(file).map_err(|e| failed(file, e))
}

fn failed(file: &Path, error: impl std::fmt::Display) -> StoreError {
    StoreError::Storage(format!("key-value file `{}`: {error}", file.display()))
}

impl Backend for Disk {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(None, |table| {
            Ok(table
                .get((store, key))?
                .map(|value| value.value().to_owned()))
        })
    }

    fn set(&self, store: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.write(|table| table.insert((store, key), value).map(drop))
    }

    fn delete(&self, store: &str, key: &str) -> Result<(), StoreError> {
        self.write(|table| table.remove((store, key)).map(drop))
    }

    fn exists(&self, store: &str, key: &str) -> Result<bool, StoreError> {
        self.read(false, |table| Ok(table.get((store, key))?.is_some()))
    }

    fn keys(&self, store: &str) -> Result<Vec<String>, StoreError> {
        self.read(Vec::new(), |table| {
            let mut keys = Vec::new();
            for entry in table.range((store, "")..)? {
                let (name, _) = entry?;
                let (owner, key) = name.value();
                if owner != store {
                    break;
                }
                keys.push(key.to_owned());
            }
            Ok(keys)
        })
    }
}
