//! Stores in one file on disk, kept by redb: a write is on disk before its call returns.
//!
//! After an I/O error redb refuses all further work, so the file is closed then, and opened again by the next call.

mod table;

use super::file::{self, BoundedFile, Length, TooLong};
use super::health::Attempts;
use super::lock::FolderLock;
use super::{Backend, Report, StoreError, sizes};
use crate::observe::metrics::Bound;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError,
    WriteTransaction,
};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};
use waypost_config::settings::StoreLimits;

/// How long the file is left alone after it was compacted: meanwhile all stores wait.
const COMPACTION_INTERVAL: Duration = Duration::from_secs(60);

/// Opens the storage of the database.
type Opener = Box<dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync>;

/// The stores of an app in a file.
pub(super) struct Disk {
    /// Name of the file, for the log.
    file: PathBuf,
    opener: Opener,
    cache: usize,
    length: Arc<Length>,
    /// What all entries count for.
    data: AtomicU64,
    open: RwLock<Open>,
    opening: Attempts,
    reading: Attempts,
    writing: Attempts,
    /// Whether the file met its bound, so that it should be compacted when it is opened again.
    met_bound: AtomicBool,
    compacted: Mutex<Option<Instant>>,
    /// Given up last, when the file is closed.
    _lock: Option<FolderLock>,
}

/// The database, while it is open.
#[derive(Default)]
struct Open {
    database: Option<Database>,
    /// How often it was opened.
    count: u64,
}

/// Why a call failed, and in which opening of the database.
struct Failure {
    opening: u64,
    error: redb::Error,
}

/// What a write came to.
enum Written {
    Committed { data: u64 },
    Unchanged,
    Refused(StoreError),
}

impl Disk {
    /// Keeps the stores in `file`, which `lock` protects from other hosts.
    pub(super) fn new(file: PathBuf, limits: &StoreLimits, lock: Option<FolderLock>) -> Self {
        let path = file.clone();
        let opener = Box::new(move || file::open(&path));
        Self::with_opener(file, opener, limits, lock)
    }

    fn with_opener(
        file: PathBuf,
        opener: Opener,
        limits: &StoreLimits,
        lock: Option<FolderLock>,
    ) -> Self {
        let disk = Self {
            file,
            opener,
            cache: usize::try_from(limits.cache).unwrap_or(usize::MAX),
            length: Arc::default(),
            data: AtomicU64::new(0),
            open: RwLock::default(),
            opening: Attempts::default(),
            reading: Attempts::default(),
            writing: Attempts::default(),
            met_bound: AtomicBool::new(false),
            compacted: Mutex::default(),
            _lock: lock,
        };
        disk.bound(limits);
        disk
    }

    /// Opens the file now, rather than with the first call.
    pub(super) fn open_now(&self) -> Result<(), DatabaseError> {
        let opened = self.open_in(&mut self.exclusive());
        if let Err(error) = &opened {
            self.opening.fail(&error.to_string());
        }
        opened
    }

    fn shared(&self) -> RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Open> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_in(&self, open: &mut Open) -> Result<(), DatabaseError> {
        let database = unpanicked(|| self.open_database())?;
        open.count += 1;
        open.database = Some(database);
        Ok(())
    }

    fn open_database(&self) -> Result<Database, DatabaseError> {
        let storage = BoundedFile::new((self.opener)()?, &self.length)?;
        let mut database = Builder::new()
            .set_cache_size(self.cache)
            .create_with_backend(storage)?;
        let data = table::count(&database)?;
        self.data.store(data, Ordering::Relaxed);
        if self.met_bound.swap(false, Ordering::Relaxed) || self.is_wasteful() {
            self.compact(&mut database);
        }
        Ok(database)
    }

    /// Calls `work` with the open database.
    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<Result<T, Failure>, StoreError> {
        let mut guard = self.shared();
        if guard.database.is_none() {
            drop(guard);
            let mut open = self.exclusive();
            if open.database.is_none() {
                self.reopen(&mut open)?;
            }
            guard = RwLockWriteGuard::downgrade(open);
        }
        let opening = guard.count;
        let result = match &guard.database {
            Some(database) => unpanicked(|| work(database)),
            None => Err(redb::Error::DatabaseClosed),
        };
        Ok(result.map_err(|error| Failure { opening, error }))
    }

    fn reopen(&self, open: &mut Open) -> Result<(), StoreError> {
        self.opening
            .begin()
            .map_err(|reason| unavailable(&reason))?;
        match self.open_in(open) {
            Ok(()) => {
                if self.opening.succeed() {
                    tracing::info!(file = %self.shown(), "the key-value stores are open again");
                }
                Ok(())
            }
            Err(error) => {
                let reason = error.to_string();
                if self.opening.fail(&reason) {
                    tracing::error!(file = %self.shown(), reason, "the key-value stores cannot be opened");
                }
                Err(unavailable(&reason))
            }
        }
    }

    /// Closes the database after a failure, unless another call did so already.
    fn close(&self, failure: &Failure) {
        let mut open = self.exclusive();
        if open.count == failure.opening {
            open.database = None;
        }
    }

    fn read<T>(
        &self,
        missing: impl Fn() -> T,
        read: impl Fn(&table::ReadEntries) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let attempt = || {
            self.with_database(|database| {
                let transaction = database.begin_read()?;
                match table::read(&transaction)? {
                    Some(entries) => read(&entries),
                    // The first write makes the table.
                    None => Ok(missing()),
                }
            })
        };
        let mut result = attempt()?;
        if let Err(failure) = &result {
            // Another call may have met the error, or it may be gone.
            self.close(failure);
            result = attempt()?;
        }
        match result {
            Ok(found) => {
                self.reading.succeed();
                Ok(found)
            }
            Err(failure) => {
                self.close(&failure);
                let reason = failure.error.to_string();
                if self.reading.fail(&reason) {
                    tracing::error!(file = %self.shown(), reason, "the key-value stores cannot be read");
                }
                Err(StoreError::Failed(format!(
                    "the key-value store cannot be read: {reason}"
                )))
            }
        }
    }

    fn write(
        &self,
        change: impl Fn(&WriteTransaction) -> Result<Written, redb::Error>,
    ) -> Result<(), StoreError> {
        self.writing.begin().map_err(|reason| unwritten(&reason))?;
        let attempt = || {
            self.with_database(|database| {
                let transaction = database.begin_write()?;
                let written = change(&transaction)?;
                match written {
                    Written::Committed { .. } => transaction.commit()?,
                    Written::Unchanged | Written::Refused(_) => transaction.abort()?,
                }
                Ok(written)
            })
        };
        let mut result = attempt()?;
        if let Err(failure) = &result
            && matches!(failure.error, redb::Error::PreviousIo)
        {
            // Another call met the error: this one did not get to write.
            self.close(failure);
            result = attempt()?;
        }
        match result {
            Ok(written) => self.wrote(written),
            Err(failure) => {
                self.close(&failure);
                Err(self.write_failed(&failure.error))
            }
        }
    }

    fn wrote(&self, written: Written) -> Result<(), StoreError> {
        match written {
            Written::Committed { data } => {
                self.data.store(data, Ordering::Relaxed);
                if self.writing.succeed() {
                    tracing::info!(file = %self.shown(), "the key-value stores can be written again");
                }
                Ok(())
            }
            Written::Unchanged => Ok(()),
            Written::Refused(error) => Err(error),
        }
    }

    fn write_failed(&self, error: &redb::Error) -> StoreError {
        if is_too_long(error) {
            self.met_bound.store(true, Ordering::Relaxed);
            let most = self.length.most.load(Ordering::Relaxed);
            let found = format!("the file of all stores would be longer than {most} bytes");
            return StoreError::over(Bound::StoreFile, &found);
        }
        let reason = error.to_string();
        if self.writing.fail(&reason) {
            tracing::error!(file = %self.shown(), reason, "the key-value stores cannot be written");
        }
        unwritten(&reason)
    }

    fn is_wasteful(&self) -> bool {
        let length = self.length.now.load(Ordering::Relaxed);
        sizes::is_wasteful(length, self.data.load(Ordering::Relaxed))
    }

    /// Gives back what the file does not need. What it holds stays the same, whatever comes of it.
    fn compact(&self, database: &mut Database) {
        let before = self.length.now.load(Ordering::Relaxed);
        // Room for copies while entries move: no disk is needed for what is not written.
        let most = self.length.most.swap(u64::MAX, Ordering::Relaxed);
        let result = database.compact();
        self.length.most.store(most, Ordering::Relaxed);
        *self
            .compacted
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let after = self.length.now.load(Ordering::Relaxed);
        match result {
            Ok(_) => {
                tracing::info!(file = %self.shown(), before, after, "compacted the key-value stores")
            }
            Err(error) => {
                tracing::warn!(file = %self.shown(), %error, "cannot compact the key-value stores");
            }
        }
    }

    /// Returns whether the file wastes much, and was left alone for a while.
    fn may_compact(&self) -> bool {
        let compacted = || {
            *self
                .compacted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        self.is_wasteful() && compacted().is_none_or(|time| time.elapsed() >= COMPACTION_INTERVAL)
    }

    fn is_failing(&self) -> bool {
        self.opening.is_failing() || self.writing.is_failing()
    }

    fn shown(&self) -> std::path::Display<'_> {
        Path::display(&self.file)
    }
}

impl Backend for Disk {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(
            || None,
            |entries| {
                Ok(entries
                    .get((store, key))?
                    .map(|value| value.value().to_owned()))
            },
        )
    }

    fn set(
        &self,
        store: &str,
        key: &str,
        value: &[u8],
        limits: &StoreLimits,
    ) -> Result<(), StoreError> {
        self.write(|transaction| table::set(transaction, (store, key), value, limits))
    }

    fn delete(&self, store: &str, key: &str) -> Result<(), StoreError> {
        self.write(|transaction| table::delete(transaction, (store, key)))
    }

    fn exists(&self, store: &str, key: &str) -> Result<bool, StoreError> {
        self.read(|| false, |entries| Ok(entries.get((store, key))?.is_some()))
    }

    fn keys(
        &self,
        store: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.read(Vec::new, |entries| table::keys(entries, store, after, most))
    }

    fn data(&self) -> u64 {
        self.data.load(Ordering::Relaxed)
    }

    fn bound(&self, limits: &StoreLimits) {
        self.length.most.store(limits.file, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        self.is_failing() || self.may_compact()
    }

    fn tend(&self) {
        if self.is_failing() {
            // A failure is recorded and logged there.
            let _ = self.write(table::probe);
        }
        if self.may_compact()
            && let Some(database) = &mut self.exclusive().database
        {
            self.compact(database);
        }
    }

    fn report(&self) -> Report {
        Report {
            is_failing: self.is_failing(),
            failed_reads: self.reading.failures(),
            failed_writes: self.writing.failures() + self.opening.failures(),
            data: self.data(),
            file: self.length.now.load(Ordering::Relaxed),
        }
    }
}

/// Calls redb, which panics on some files that are damaged. The database is not used any more after that.
fn unpanicked<T, E: From<StorageError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let reason = "the file is damaged".to_owned();
        Err(StorageError::Corrupted(reason).into())
    })
}

fn is_too_long(error: &redb::Error) -> bool {
    match error {
        redb::Error::Io(error) => error.get_ref().is_some_and(|error| error.is::<TooLong>()),
        _ => false,
    }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Failed(format!("the key-value store cannot be opened: {reason}"))
}

fn unwritten(reason: &str) -> StoreError {
    StoreError::Failed(format!("the key-value store cannot be written: {reason}"))
}

#[cfg(test)]
mod tests;
