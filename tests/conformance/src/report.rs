//! The results of a run, and how they are printed.

use std::collections::BTreeMap;
use std::fmt;

use crate::replay::Fault;

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The number of cases that passed.
    pub passed: usize,
    /// The cases that failed, and the faults in the table of deviations.
    pub failures: Vec<Failure>,
    /// The number of skipped cases, by reason.
    pub skipped: BTreeMap<&'static str, usize>,
}

/// A case that failed. Its display form is a small diff.
#[derive(Clone, Debug)]
pub struct Failure {
    pub(crate) id: String,
    pub(crate) faults: Vec<Fault>,
}

impl Report {
    /// Returns `true` if nothing failed.
    pub fn is_success(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Failure {
    /// Returns the id of the case.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        for (reason, count) in &self.skipped {
            writeln!(f, "{count} skipped: {reason}")?;
        }
        let skipped: usize = self.skipped.values().sum();
        writeln!(
            f,
            "{} passed, {} failed, {skipped} skipped",
            self.passed,
            self.failures.len()
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "FAIL {}  {}", self.id, visible(&fault.title))?;
            let width = fault
                .differences
                .iter()
                .map(|difference| difference.what.chars().count())
                .max();
            let width = width.unwrap_or_default();
            for difference in &fault.differences {
                let what = &difference.what;
                writeln!(
                    f,
                    "  {what:width$}  expected  {}",
                    visible(&difference.expected)
                )?;
                writeln!(f, "  {:width$}  got       {}", "", visible(&difference.got))?;
            }
            for deviation in &fault.deviations {
                writeln!(f, "  with {deviation}")?;
            }
        }
        Ok(())
    }
}

/// Escapes control characters, so that a response can't control the reader's terminal.
fn visible(text: &str) -> String {
    let escape = |c: char| {
        if c.is_control() {
            c.escape_default().collect()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escape).collect()
}
