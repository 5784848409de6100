//! An error of a command, with a hint.
//!
//! Commands use `anyhow`; this is the only error type that they create themselves, where the error of a module does
//! not say enough. [`crate::output::error`] finds the hint anywhere in a chain of causes.

use thiserror::Error;

/// A message, and a hint if there is one.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Creates a failure without a hint.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            hint: None,
        }
    }

    /// Adds a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the hint.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
