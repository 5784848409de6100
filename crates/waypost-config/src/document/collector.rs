//! The faults of one file, with their lines.

use std::ops::Range;
use std::path::Path;

use crate::fault::{Fault, FaultKind, Faults, Place, one_line};

/// The name of a file and where its lines begin: what it takes to name a place in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    file: String,
    /// The first byte of each line but the first.
    starts: Vec<usize>,
}

impl Source {
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        Self {
            file: path.display().to_string(),
            starts: text.match_indices('\n').map(|(end, _)| end + 1).collect(),
        }
    }

    /// Returns the line that holds a byte, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) + 1
    }

    fn place(&self, range: &Range<usize>) -> Place {
        Place::span(&self.file, self.line(range.start), range.clone())
    }
}

/// The faults found in one file so far.
pub(crate) struct Collector {
    source: Source,
    faults: Vec<(usize, Fault)>,
}

impl Collector {
    /// Creates an empty collector for a file.
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            faults: Vec::new(),
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
        let fault = kind.into_fault().at(self.source.place(range));
        let fault = match hint {
            Some(hint) => fault.hint(one_line(&hint)),
            None => fault,
        };
        self.faults.push((range.start, fault));
    }

    /// Returns the line of a place, counted from 1.
    pub(crate) fn line(&self, range: &Range<usize>) -> usize {
        self.source.line(range.start)
    }

    /// Returns the file, to name faults that are found later.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Returns what was read.
    ///
    /// # Errors
    ///
    /// Returns the faults, if there are any, in the order of the file.
    pub(crate) fn settle<T>(mut self, value: T) -> Result<T, Faults> {
        self.faults.sort_by_key(|(start, _)| *start);
        Faults::refuse(self.faults.into_iter().map(|(_, fault)| fault).collect())?;
        Ok(value)
    }
}
