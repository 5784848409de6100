//! TOML files read strictly: every value has its place in the file, and every key is accounted for.
//!
//! Readers take a [`Table`] apart with typed getters. A getter that doesn't find what it needs adds a fault to the
//! [`Collector`] and returns `None` or a default, so that reading goes on and finds the next fault too. Whoever reads a
//! whole file discards the outcome if there was a fault. This module knows TOML and not what the files mean.

mod collector;
mod suggestion;
mod table;
mod value;

use std::io::ErrorKind;
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use crate::fault::{FaultKind, Faults};
use crate::regular_file::read_text_file;
pub(crate) use collector::{Collector, Source};
pub(crate) use suggestion::did_you_mean;
pub(crate) use table::{Keys, Table};
pub(crate) use value::{Located, Value};

/// A TOML file, parsed.
pub(crate) struct Document<'t> {
    root: Spanned<DeTable<'t>>,
    source: Source,
}

impl<'t> Document<'t> {
    /// Parses a text; `path` names it in messages.
    ///
    /// # Errors
    ///
    /// Returns the first syntax error of each line: those that follow on the same line are mostly its consequences.
    pub(crate) fn parse(text: &'t str, path: &Path) -> Result<Self, Faults> {
        let source = Source::new(path, text);
        let (root, mut errors) = DeTable::parse_recoverable(text);
        errors.sort_by_key(start);
        errors.dedup_by_key(|error| source.line(start(error)));
        let mut faults = Collector::new(source.clone());
        for error in &errors {
            let range = error.span().unwrap_or_default();
            let reason = reason(error, text);
            faults.add(&range, FaultKind::Syntax { reason });
        }
        faults.settle(Self { root, source })
    }

    /// Returns the top-level table.
    pub(crate) fn root(&'t self) -> Table<'t> {
        Table::root(&self.root)
    }

    /// Returns a collector for faults of this file.
    pub(crate) fn collector(&self) -> Collector {
        Collector::new(self.source.clone())
    }
}

/// Reads a file as text. Returns `None` if it doesn't exist.
///
/// # Errors
///
/// Returns the fault if the file can't be read or isn't UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, Faults> {
    match read_text_file(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error.to_string())),
    }
}

/// Returns the fault of a file that can't be read.
pub(crate) fn unreadable(path: &Path, reason: &str) -> Faults {
    let reason = reason.to_owned();
    Faults::from(
        FaultKind::Unreadable { reason }
            .into_fault()
            .file(path.display().to_string()),
    )
}

fn start(error: &toml::de::Error) -> usize {
    error.span().unwrap_or_default().start
}

fn reason(error: &toml::de::Error, text: &str) -> String {
    match error.span().and_then(|range| text.get(range)) {
        Some(name) if error.message() == "duplicate key" => format!("`{name}` is defined twice"),
        _ => error.message().to_owned(),
    }
}
