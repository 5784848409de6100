//! Errors in what a client sent.

use std::fmt;

use http::StatusCode;

use crate::body::coding::ACCEPTED;
use crate::extract::de;

/// A part of the request that the handler asked for is missing or invalid.
///
/// If a handler returns it through `?`, the response has the status [`RequestError::status`] and this error's message
/// as plain text.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The body is not JSON, or not of the requested type.
    Json(serde_json::Error),
    /// The body is not a well-formed form, or a field is missing or invalid.
    Form(String),
    /// The `Content-Type` of the body is not one that the handler reads.
    ContentType {
        /// The types that the handler reads.
        expected: &'static str,
        /// The header's value, or `None` if the header is missing.
        found: Option<String>,
    },
    /// The `Content-Encoding` of the body is one that the handler can't decode. The response lists those that it can in
    /// `Accept-Encoding` (RFC 9110 section 15.5.16).
    ContentEncoding(String),
    /// The body is not valid in this content encoding.
    Encoding(String),
    /// The body is larger than the limit, in bytes.
    TooLarge(u64),
    /// A field of the form is larger than its limit.
    FieldTooLarge {
        /// The name of the field.
        name: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The form has more fields than this limit.
    TooManyFields(usize),
    /// A search parameter is missing or invalid.
    Query(String),
    /// A path parameter is invalid.
    Params(String),
    /// The connection broke before the body was complete.
    Incomplete(String),
    /// The type that the handler asks for can't be read from text: it has a nested struct, say. This is a mistake of
    /// the handler, so the status is 500.
    UnsupportedType(String),
    /// The body was already read. This is a mistake of the handler, so the status is 500.
    BodyUsed,
}

impl RequestError {
    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Json(_) | Self::Form(_) | Self::Encoding(_) => StatusCode::BAD_REQUEST,
            Self::Query(_) | Self::Params(_) | Self::Incomplete(_) => StatusCode::BAD_REQUEST,
            Self::ContentType { .. } | Self::ContentEncoding(_) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::TooLarge(_) | Self::FieldTooLarge { .. } | Self::TooManyFields(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::UnsupportedType(_) | Self::BodyUsed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl RequestError {
    /// Converts an error of deserialization: `invalid` creates the error for invalid input.
    pub(crate) fn of_type<T>(error: de::Error, invalid: fn(String) -> Self) -> Self {
        match error {
            de::Error::Input { .. } | de::Error::Missing(_) => invalid(error.to_string()),
            de::Error::Type(why) => {
                Self::UnsupportedType(format!("`{}`: {why}", std::any::type_name::<T>()))
            }
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
            Self::ContentEncoding(found) => {
                write!(f, "the content encoding is `{found}`; expected {ACCEPTED}")
            }
            Self::Encoding(coding) => write!(f, "the body is not valid {coding}"),
            Self::TooLarge(limit) => write!(f, "the body is larger than {limit} bytes"),
            Self::FieldTooLarge { name, limit } => {
                write!(f, "the field `{name}` is larger than {limit} bytes")
            }
            Self::TooManyFields(limit) => write!(f, "the form has more than {limit} fields"),
            Self::Query(why) => write!(f, "the query is not as expected: {why}"),
            Self::Params(why) => write!(f, "the path is not as expected: {why}"),
            Self::Incomplete(why) => write!(f, "the body ended too early: {why}"),
            Self::UnsupportedType(why) => {
                write!(
                    f,
                    "the handler's type can't be read from the request: {why}"
                )
            }
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
