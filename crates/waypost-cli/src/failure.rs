//! An error of the command line with the way out of it.
//!
//! Commands use `anyhow`; this is the one error type they make themselves when no module's own
//! error says enough. [`crate::output::error`] finds the hint anywhere in a chain of causes.

use thiserror::Error;

/// One clear message and, where there is one, what to do about it.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure that has no obvious way out.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            hint: None,
        }
    }

    /// The same failure with advice.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
