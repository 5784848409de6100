//! TOML files read strictly: with the place of every value, and every key accounted for.
//!
//! Readers take a [`Table`] apart with typed getters. A getter that doesn't find what it needs
//! puts a fault into [`Faults`] and gives nothing or a default, so that reading goes on and shows
//! the next fault too; whoever reads a whole file throws the outcome away if there was any.
//! This module knows TOML and nothing of what the files mean.

mod suggestion;
mod table;

use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use crate::fault::{Fault, FaultKind};
pub(crate) use suggestion::did_you_mean;
pub(crate) use table::{Keys, Located, Table, Value};

/// A TOML file, parsed.
pub(crate) struct Document<'t> {
    root: Spanned<DeTable<'t>>,
    lines: Lines,
}

impl<'t> Document<'t> {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Gives the first syntax error of each line: what follows it there is mostly its echo.
    pub(crate) fn parse(text: &'t str) -> Result<Self, Vec<Fault>> {
        let lines = Lines::of(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Self { root, lines });
        }
        let mut faults: Vec<_> = errors
            .iter()
            .map(|error| syntax_fault(error, text, &lines))
            .collect();
        faults.sort_by_key(|fault| fault.range().map(|range| range.start));
        faults.dedup_by_key(|fault| fault.line());
        Err(faults)
    }

    /// Gives the table of the top level.
    pub(crate) fn root(&'t self) -> Table<'t> {
        Table::root(&self.root)
    }

    /// Gives an empty collection of faults for this file.
    pub(crate) fn faults(&self) -> Faults {
        Faults::new(self.lines.clone())
    }
}

/// Reads a file as text; gives none where there is no such file.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, FaultKind> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FaultKind::Unreadable {
            reason: match error.kind() {
                ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
                _ => error.to_string(),
            },
        }),
    }
}

/// The faults found in one file so far.
pub(crate) struct Faults {
    lines: Lines,
    list: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(lines: Lines) -> Self {
        Self {
            lines,
            list: Vec::new(),
        }
    }

    /// Adds a fault.
    pub(crate) fn add(&mut self, range: &Range<usize>, kind: FaultKind) {
        self.push(range, kind, None);
    }

    /// Adds a fault and what to do about it.
    pub(crate) fn add_hinted(
        &mut self,
        range: &Range<usize>,
        kind: FaultKind,
        hint: impl Into<String>,
    ) {
        self.push(range, kind, Some(hint.into()));
    }

    /// Adds a fault, with a hint if there is one.
    pub(crate) fn push(&mut self, range: &Range<usize>, kind: FaultKind, hint: Option<String>) {
        let line = self.lines.line(range.start);
        self.list.push(Fault::at(line, range.clone(), kind, hint));
    }

    /// Gives the line of a place, counted from 1.
    pub(crate) fn line(&self, range: &Range<usize>) -> usize {
        self.lines.line(range.start)
    }

    /// Gives what was read, unless there were faults.
    pub(crate) fn settle<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.list.is_empty() {
            Ok(value)
        } else {
            Err(self.list)
        }
    }

    /// Gives the lines of the file, for faults that show later.
    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }
}

/// Where the lines of a text begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(end, _)| end + 1).collect())
    }

    /// Gives the line that holds a byte, counted from 1.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) + 1
    }
}

fn syntax_fault(error: &toml::de::Error, text: &str, lines: &Lines) -> Fault {
    let range = error.span().unwrap_or_default();
    let mut reason = error.message().to_owned();
    if let Some(name) = text.get(range.clone())
        && reason == "duplicate key"
    {
        reason = format!("`{name}` is there twice");
    }
    Fault::at(
        lines.line(range.start),
        range,
        FaultKind::Syntax { reason },
        None,
    )
}
