//! The faults that readers find, each with the message for it.

use super::Fault;

/// What is wrong with a configuration file.
///
/// `table` is the header of the TOML table as it is written, such as
/// `` `[component.hello]` ``, or "the top-level table".
#[derive(Debug, thiserror::Error)]
pub(crate) enum FaultKind {
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
    /// A cache policy or profile can't be kept.
    #[error("{table} is not a valid cache policy: {reason}")]
    Policy {
        /// The table it stands in.
        table: String,
        /// What is wrong with it.
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

impl FaultKind {
    /// Creates the fault, which has no place yet.
    pub(crate) fn into_fault(self) -> Fault {
        Fault::error(one_line(&self.to_string()))
    }
}

/// Returns a text as one line: values are quoted as they stand in the file, and a line break in one must not break
/// the message.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}
