//! What is wrong with an app: faults and warnings, each with its files and a hint.
//!
//! A check never stops at the first fault: it collects them, and [`Faults`] reports all at once.

use std::fmt;

/// Whether a fault stops the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The app cannot be built like this.
    Error,
    /// The app builds, but hardly does what its author meant.
    Warning,
}

/// One thing that is wrong, where, and how to put it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    severity: Severity,
    message: String,
    files: Vec<String>,
    hint: Option<String>,
}

impl Fault {
    /// A fault that stops the command. `message` is a lowercase phrase with names in backticks.
    pub fn error(message: impl Into<String>) -> Fault {
        Fault::new(Severity::Error, message.into())
    }

    /// A fault that does not stop the command.
    pub fn warning(message: impl Into<String>) -> Fault {
        Fault::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Fault {
        Fault {
            severity,
            message,
            files: Vec::new(),
            hint: None,
        }
    }

    /// The same fault, found in `file`: a path relative to the app's root.
    pub fn file(mut self, file: impl Into<String>) -> Fault {
        self.files.push(file.into());
        self
    }

    /// The same fault with advice.
    pub fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }

    /// The same fault, where the command goes on.
    pub fn as_warning(mut self) -> Fault {
        self.severity = Severity::Warning;
        self
    }

    /// Whether it stops the command.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What it is.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The files it is about, relative to the app's root.
    pub fn files(&self) -> &[String] {
        &self.files
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
        write!(f, "{}: {}", self.severity, self.message)?;
        let is_in_message = |file: &&String| self.message.contains(&format!("`{file}`"));
        for file in self.files.iter().filter(|file| !is_in_message(file)) {
            write!(f, "\n  --> {file}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All faults that stop a command: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The report of these faults.
    pub(crate) fn of(faults: Vec<Fault>) -> Faults {
        Faults(faults)
    }

    /// Fails with `faults`, if there are any.
    ///
    /// # Errors
    ///
    /// With all of them.
    pub fn refuse(faults: Vec<Fault>) -> Result<(), Faults> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Faults::of(faults))
        }
    }

    /// The faults, in the order of their files.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
