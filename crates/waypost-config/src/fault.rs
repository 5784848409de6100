//! What can be wrong with a configuration file: the fault, its place, and what to do about it.
//!
//! Every fault of a file is collected before its reader gives up, so that one run shows all of
//! them. A fault never quotes the value of a secret variable.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One fault of a configuration file.
///
/// Its `Display` is one line without file and place: a lowercase phrase, then the hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    hint: Option<String>,
    place: Option<Place>,
}

impl Fault {
    /// Makes a fault of the file as a whole, which has no line to point at.
    pub(crate) fn of_file(kind: FaultKind) -> Self {
        Self {
            kind,
            hint: None,
            place: None,
        }
    }

    /// Makes a fault of the bytes `range`, which begin in `line`.
    pub(crate) fn at(
        line: usize,
        range: Range<usize>,
        kind: FaultKind,
        hint: Option<String>,
    ) -> Self {
        Self {
            kind,
            hint,
            place: Some(Place { line, range }),
        }
    }

    /// Says what is wrong.
    pub fn kind(&self) -> &FaultKind {
        &self.kind
    }

    /// Says what to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Gives the line of the fault, counted from 1; none when the whole file is at fault.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }

    /// Gives the bytes of the file that are at fault.
    pub fn range(&self) -> Option<Range<usize>> {
        self.place.as_ref().map(|place| place.range.clone())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.kind.to_string();
        if let Some(hint) = &self.hint {
            line.push_str("; ");
            line.push_str(hint);
        }
        // Values of the file are quoted as they are: a line break in one must not break the line.
        for character in line.chars() {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// What is wrong with a configuration file.
///
/// `table` is the header of the TOML table as one would write it, such as
/// `` `[component.hello]` ``, or "the top-level table".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// The file can't be read as text.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// What the system says.
        reason: String,
    },
    /// The text is not TOML.
    #[error("broken TOML: {reason}")]
    Syntax {
        /// What the TOML parser says.
        reason: String,
    },
    /// The file asks for something that this host doesn't have.
    #[error("{what} not supported by this host")]
    Unsupported {
        /// What is asked for, with its verb.
        what: String,
    },
    /// A key that nothing reads: most likely a spelling mistake.
    #[error("unknown key `{key}` in {table}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in.
        table: String,
    },
    /// A key that must be there is not.
    #[error("missing `{key}` in {table}")]
    Missing {
        /// The key.
        key: String,
        /// The table it belongs in.
        table: String,
    },
    /// A value has the wrong TOML type.
    #[error("`{key}` in {table} must be {expected}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// The table it stands in.
        table: String,
        /// The type that it must have, with its article.
        expected: &'static str,
        /// The type that it has, with its article.
        found: &'static str,
    },
    /// A value has the right type and a wrong content.
    #[error("{what} `{value}` is invalid: {reason}")]
    Invalid {
        /// What the value is, such as "route".
        what: String,
        /// The value as written.
        value: String,
        /// Why it is refused.
        reason: String,
    },
    /// A setting has a value that can't be used: malformed, or out of bounds.
    #[error("`{key}` in {table} is `{value}`: {reason}")]
    Unusable {
        /// The key.
        key: String,
        /// The table it stands in.
        table: String,
        /// The value as written.
        value: String,
        /// What it must be, and why.
        reason: String,
    },
    /// A name that the file doesn't declare is used.
    #[error("{what} `{name}` is not declared")]
    Undeclared {
        /// What is named, such as "component".
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something that must be unique is there twice.
    #[error("{what} `{value}` is already taken in line {first}")]
    Repeated {
        /// What is there twice, such as "route".
        what: &'static str,
        /// The value that is there twice.
        value: String,
        /// The line of its first use, counted from 1.
        first: usize,
    },
    /// A variable is neither required nor has a default, or is both.
    #[error("variable `{name}` must have either `required = true` or a `default`, and not both")]
    RequiredOrDefault {
        /// The variable.
        name: String,
    },
    /// A required variable was given no value.
    #[error("required variable `{name}` has no value")]
    NoValue {
        /// The variable.
        name: String,
    },
    /// The environment's value of a variable is not Unicode.
    #[error("value of variable `{name}` is not valid Unicode")]
    NotUnicode {
        /// The variable.
        name: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    range: Range<usize>,
}

/// All faults of one file, by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultReport {
    path: PathBuf,
    faults: Vec<Fault>,
}

impl FaultReport {
    /// Makes the report of a file's faults, and puts them in the order of the file.
    pub(crate) fn new(path: &Path, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.place.as_ref().map(|place| place.range.start));
        Self {
            path: path.to_owned(),
            faults,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.path.display())?;
            if let Some(line) = fault.line() {
                write!(f, "{line}:")?;
            }
            write!(f, " {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FaultReport {}
