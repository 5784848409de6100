//! The errors of the deserializer.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// The reason why text could not be deserialized.
#[derive(Debug)]
pub(crate) enum Error {
    /// The text is missing or invalid: a mistake of the client.
    Input {
        message: String,
        /// Whether the message contains the name of the field.
        is_named: bool,
    },
    /// A field is missing.
    Missing(&'static str),
    /// No text can become the type: a mistake of the handler.
    Type(String),
}

impl Error {
    /// Creates an error for input, with a message that contains the name of the field.
    pub(super) fn named(message: String) -> Self {
        Self::Input {
            message,
            is_named: true,
        }
    }

    /// Adds the name and the texts of the field, unless the message contains the name.
    pub(super) fn of_field(self, name: &str, texts: &[&str]) -> Self {
        match self {
            Self::Input {
                message,
                is_named: false,
            } => Self::named(format!("`{name}` is `{}`: {message}", texts.join("`, `"))),
            Self::Type(message) => Self::Type(format!("`{name}`: {message}")),
            named => named,
        }
    }

    /// Converts into an error of the client.
    pub(super) fn into_input(self) -> Self {
        match self {
            Self::Type(message) => Self::named(message),
            input => input,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { message, .. } | Self::Type(message) => f.write_str(message),
            Self::Missing(field) => write!(f, "missing field `{field}`"),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Input {
            message: message.to_string(),
            is_named: false,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    /// Called by a type that does not accept text, or none of the shapes that text can have.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Type(format!("invalid type: {unexpected}, expected {expected}"))
    }
}
