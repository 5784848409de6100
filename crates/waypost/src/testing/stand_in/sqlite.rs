//! SQLite databases. In a component this is `spin_sdk::sqlite`. A native test has no databases: a handler that uses
//! them compiles, and opening one is an error.

use std::convert::Infallible;

pub use spin_sdk::sqlite::{Error, RowResult, Value};

/// An open connection to a database.
pub struct Connection(Infallible);

impl Connection {
    /// Opens the database `default`.
    ///
    /// # Errors
    ///
    /// Always in a native test: [`Error::Io`].
    pub async fn open_default() -> Result<Self, Error> {
        Self::open("default").await
    }

    /// Opens a database.
    ///
    /// # Errors
    ///
    /// Always in a native test: [`Error::Io`].
    pub async fn open(database: impl AsRef<str>) -> Result<Self, Error> {
        let database = database.as_ref();
        Err(Error::Io(format!(
            "a native test has no SQLite, so that `{database}` can't be opened: test what does not ask it, \
             or the app on Spin"
        )))
    }

    /// Executes a statement and returns its rows.
    ///
    /// # Errors
    ///
    /// Unreachable in a native test.
    pub async fn execute(
        &self,
        _statement: impl AsRef<str>,
        _parameters: impl IntoIterator<Item = Value>,
    ) -> Result<QueryResult, Error> {
        match self.0 {}
    }

    /// Returns the id of the last inserted row.
    pub async fn last_insert_rowid(&self) -> i64 {
        match self.0 {}
    }

    /// Returns the number of rows that the last statement changed.
    pub async fn changes(&self) -> u64 {
        match self.0 {}
    }
}

/// The rows of a statement.
pub struct QueryResult(Infallible);

impl QueryResult {
    /// Returns the names of the columns.
    pub fn columns(&self) -> &[String] {
        match self.0 {}
    }

    /// Returns the next row, or `None` at the end.
    pub async fn next(&mut self) -> Option<RowResult> {
        match self.0 {}
    }

    /// Returns whether all rows were received.
    ///
    /// # Errors
    ///
    /// Unreachable in a native test.
    pub async fn result(self) -> Result<(), Error> {
        match self.0 {}
    }

    /// Returns all remaining rows.
    ///
    /// # Errors
    ///
    /// Unreachable in a native test.
    pub async fn collect(self) -> Result<Vec<RowResult>, Error> {
        match self.0 {}
    }
}
