//! What is wrong with an app: the fault, where it is, and what to do about it.
//!
//! A check never stops at the first fault: it collects all of them, so that one run shows everything. A fault never
//! quotes the value of a secret variable.

mod kind;
mod place;

use std::fmt;
use std::path::Path;

pub(crate) use kind::{FaultKind, one_line};
pub use place::Place;

/// Whether a fault stops a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The app can't be built or served like this.
    Error,
    /// The app works, but probably not as its author intended.
    Warning,
}

/// One thing that is wrong, where it is, and how to correct it.
///
/// `Display` writes one line, for logs and errors: `spin.toml:12: unknown key …; did you mean …?`.
/// [`report`](Fault::report) writes a line for each part, for people.
///
/// # Examples
///
/// ```
/// use waypost_config::Fault;
///
/// let fault = Fault::error("there are no routes").file("handlers").hint("add one");
/// assert_eq!(fault.to_string(), "handlers: there are no routes; add one");
/// assert_eq!(
///     fault.report().to_string(),
///     "error: there are no routes\n  --> handlers\n  hint: add one"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    severity: Severity,
    message: String,
    places: Vec<Place>,
    hint: Option<String>,
}

impl Fault {
    /// Creates a fault that stops the command. `message` is a lowercase phrase with names in backticks.
    pub fn error(message: impl Into<String>) -> Fault {
        Fault::new(Severity::Error, message.into())
    }

    /// Creates a fault that doesn't stop the command.
    pub fn warning(message: impl Into<String>) -> Fault {
        Fault::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Fault {
        Fault {
            severity,
            message,
            places: Vec::new(),
            hint: None,
        }
    }

    /// Adds a file that the fault is about: a path relative to the app's folder.
    pub fn file(self, file: impl Into<String>) -> Fault {
        self.at(Place::file(file))
    }

    /// Adds a place that the fault is about.
    pub fn at(mut self, place: Place) -> Fault {
        self.places.push(place);
        self
    }

    /// Sets the advice.
    pub fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }

    /// Makes the fault a warning: the command goes on.
    pub fn as_warning(mut self) -> Fault {
        self.severity = Severity::Warning;
        self
    }

    /// Returns whether the fault stops the command.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Returns what is wrong, without the place and the hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to do about it, if that is known.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the places it is about.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Returns the fault as a report for people: the message, then the places and the hint on lines of their own.
    ///
    /// A file that the message names is not repeated.
    pub fn report(&self) -> impl fmt::Display {
        FaultReport(self)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.places.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            write!(f, "{separator}{place}")?;
        }
        if !self.places.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

struct FaultReport<'f>(&'f Fault);

impl fmt::Display for FaultReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault {
            severity,
            message,
            places,
            hint,
        } = self.0;
        write!(f, "{severity}: {message}")?;
        let is_in_message = |place: &&Place| message.contains(&format!("`{place}`"));
        for place in places.iter().filter(|place| !is_in_message(place)) {
            write!(f, "\n  --> {place}")?;
        }
        match hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All faults that stop an operation: at least one.
///
/// `Display` writes one line for each, [`report`](Faults::report) a report for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Fails with `faults` if there are any.
    ///
    /// # Errors
    ///
    /// Returns all of them.
    pub fn refuse(faults: Vec<Fault>) -> Result<(), Faults> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Faults(faults))
        }
    }

    /// Fails with the errors among `faults` if there are any, and passes the warnings to `warn`.
    ///
    /// # Errors
    ///
    /// Returns all errors.
    pub fn refuse_errors(faults: Vec<Fault>, warn: impl FnMut(&Fault)) -> Result<(), Faults> {
        let is_warning = |fault: &Fault| fault.severity() == Severity::Warning;
        let (warnings, errors): (Vec<_>, Vec<_>) = faults.into_iter().partition(is_warning);
        warnings.iter().for_each(warn);
        Faults::refuse(errors)
    }

    /// Returns the faults, in the order of their files and lines.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.0.iter()
    }

    /// Appends other faults.
    pub fn and(mut self, other: Faults) -> Faults {
        self.0.extend(other.0);
        self
    }

    /// Replaces each fault.
    pub fn map(self, change: impl FnMut(Fault) -> Fault) -> Faults {
        Faults(self.0.into_iter().map(change).collect())
    }

    /// Names files below `folder` by their path relative to it.
    pub fn relative_to(self, folder: &Path) -> Faults {
        self.map(|mut fault| {
            for place in &mut fault.places {
                place.make_relative_to(folder);
            }
            fault
        })
    }

    /// Returns the [report](Fault::report) of each fault, one after the other.
    pub fn report(&self) -> impl fmt::Display {
        FaultsReport(&self.0)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults(vec![fault])
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.0)
    }
}

impl std::error::Error for Faults {}

struct FaultsReport<'f>(&'f [Fault]);

impl fmt::Display for FaultsReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, self.0.iter().map(Fault::report))
    }
}

fn write_lines(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = impl fmt::Display>,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        let separator = if index > 0 { "\n" } else { "" };
        write!(f, "{separator}{item}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_each_place_once() {
        let fault = Fault::error("`a` and `b` are the same")
            .file("a")
            .at(Place::span("c", 3, 20..24))
            .hint("remove one");
        assert_eq!(
            fault.report().to_string(),
            "error: `a` and `b` are the same\n  --> c:3\n  hint: remove one"
        );
        assert_eq!(
            fault.to_string(),
            "a, c:3: `a` and `b` are the same; remove one"
        );
    }

    #[test]
    fn places_below_a_folder_become_relative_to_it() {
        let faults = Faults::from(Fault::error("x").file("/app/spin.toml").file("/other/a"));
        let relative = faults.relative_to(Path::new("/app"));
        assert_eq!(relative.to_string(), "spin.toml, /other/a: x");
    }

    #[test]
    fn no_faults_are_no_error() {
        assert_eq!(Faults::refuse(Vec::new()), Ok(()));
    }
}
