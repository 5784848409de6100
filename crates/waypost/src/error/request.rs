//! What can be wrong with a request.

use std::fmt;

use http::StatusCode;

/// The request holds something that the handler asked for but can't use.
///
/// When it leaves a handler through `?`, the client gets [`RequestError::status`] and the
/// message as plain text.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The body is not the JSON that was asked for.
    Json(serde_json::Error),
    /// The body is not well-formed form data.
    Form(String),
    /// The body's `Content-Type` is another than the one asked for.
    ContentType {
        /// What the handler can read.
        expected: &'static str,
        /// What the client sent; `None` where the header is missing.
        found: Option<String>,
    },
    /// The body is larger than the limit, in bytes.
    TooLarge(usize),
    /// A field of the form is larger than its limit.
    FieldTooLarge {
        /// The name of the field.
        name: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The form has more fields than this.
    TooManyFields(usize),
    /// A search parameter is missing or has the wrong form.
    Query(String),
    /// A path parameter has the wrong form.
    Params(String),
    /// The client's connection broke before the body was complete.
    Incomplete(String),
    /// The body was read before. It can be read once; this is a fault of the handler, so a 500.
    BodyUsed,
}

impl RequestError {
    /// Returns the status code that tells the client what was wrong.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Json(_) | Self::Form(_) => StatusCode::BAD_REQUEST,
            Self::Query(_) | Self::Params(_) | Self::Incomplete(_) => StatusCode::BAD_REQUEST,
            Self::ContentType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) | Self::FieldTooLarge { .. } | Self::TooManyFields(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::BodyUsed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the body is not the expected JSON: {error}"),
            Self::Form(why) => write!(f, "the body is not a well-formed form: {why}"),
            Self::ContentType {
                expected,
                found: Some(found),
            } => {
                write!(f, "the content type is `{found}`; expected {expected}")
            }
            Self::ContentType {
                expected,
                found: None,
            } => {
                write!(f, "the content type is missing; expected {expected}")
            }
            Self::TooLarge(limit) => write!(f, "the body is larger than {limit} bytes"),
            Self::FieldTooLarge { name, limit } => {
                write!(f, "the field `{name}` is larger than {limit} bytes")
            }
            Self::TooManyFields(limit) => write!(f, "the form has more than {limit} fields"),
            Self::Query(why) => write!(f, "the query is not as expected: {why}"),
            Self::Params(why) => write!(f, "the path is not as expected: {why}"),
            Self::Incomplete(why) => write!(f, "the body ended too early: {why}"),
            Self::BodyUsed => f.write_str("the body was already read"),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            _ => None,
        }
    }
}
