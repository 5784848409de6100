//! What a handler fails with, and the signals that end it early.
//!
//! [`Error`] is what `?` converts everything into. It deliberately does not implement
//! [`std::error::Error`]: that is what lets any other error type, `anyhow`'s included, become one.

use std::fmt;

use http::{HeaderValue, StatusCode, header};

use crate::{Body, IntoResponse, Response};

/// The result of a handler: a reply of type `T`, or an [`Error`].
pub type Result<T = Response, E = Error> = std::result::Result<T, E>;

/// Why a handler did not return its usual reply.
///
/// It is one of three things:
///
/// - a *signal*, made by [`redirect`], [`not_found`] and their like: an answer that is sent as it is;
/// - a [`RequestError`]: the client sent something that the handler can't use; the answer is a
///   400, 413 or 415 with a short text that says what was wrong;
/// - any other error: the answer is a 500 with an empty body, and the text goes to the log only.
///
/// # Examples
///
/// ```
/// use waypost::{Error, Result};
///
/// fn parse(text: &str) -> Result<u32> {
///     Ok(text.parse::<u32>()?) // a `ParseIntError` becomes a 500
/// }
///
/// fn brew() -> Result<()> {
///     Err(Error::new(418, "short and stout"))
/// }
/// # assert!(parse("x").is_err() && brew().is_err());
/// ```
pub struct Error(Box<Kind>);

enum Kind {
    Signal(Response),
    Request(RequestError),
    Internal(anyhow::Error),
}

impl Error {
    /// Makes an error that is answered with `status` and `message` as plain text.
    ///
    /// A status that is no valid HTTP status code makes a 500.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        match StatusCode::from_u16(status) {
            Ok(status) => Self::signal(Response::new(message.into()).with_status(status)),
            Err(_) => anyhow::anyhow!("`{status}` is not an HTTP status code").into(),
        }
    }

    /// Makes an error that is answered with `response`.
    pub(crate) fn signal(response: Response) -> Self {
        Self(Box::new(Kind::Signal(response)))
    }

    /// Returns the status code that the client will see.
    pub fn status(&self) -> StatusCode {
        match &*self.0 {
            Kind::Signal(response) => response.status(),
            Kind::Request(error) => error.status(),
            Kind::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Signal(response) => write!(f, "signal({})", response.status()),
            Kind::Request(error) => write!(f, "{error:?}"),
            Kind::Internal(error) => write!(f, "{error:?}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Signal(response) => write!(f, "the handler ended with {}", response.status()),
            Kind::Request(error) => error.fmt(f),
            Kind::Internal(error) => error.fmt(f),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(match error.into().downcast::<RequestError>() {
            Ok(error) => Kind::Request(error),
            #[cfg(feature = "spin")]
            Err(error) => Kind::Internal(crate::grant::explained(error)),
            #[cfg(not(feature = "spin"))]
            Err(error) => Kind::Internal(error),
        }))
    }
}

#[diagnostic::do_not_recommend]
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match *self.0 {
            Kind::Signal(response) => response,
            Kind::Request(error) => Response::new(error.to_string()).with_status(error.status()),
            Kind::Internal(error) => {
                eprintln!("error: {}", Chain(&error));
                Response::new(Body::empty()).with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// An error and its causes on one line, as a log wants it.
struct Chain<'a>(&'a anyhow::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, cause) in self.0.chain().enumerate() {
            let separator = if depth == 0 { "" } else { ": " };
            write!(f, "{separator}{cause}")?;
        }
        Ok(())
    }
}

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
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
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

/// Ends the handler with a 307 to `location`, which keeps the method and the body.
///
/// As in Next ([`redirect`](https://nextjs.org/docs/app/api-reference/functions/redirect)), but the
/// status never depends on the request. The location may be relative, and is not checked: never pass
/// on a client's text unseen. Characters outside ASCII are percent-encoded.
///
/// # Examples
///
/// ```
/// use waypost::{Request, Result, redirect};
///
/// async fn get(_req: Request) -> Result {
///     Err(redirect("https://example.com/"))
/// }
/// ```
pub fn redirect(location: impl AsRef<str>) -> Error {
    redirect_with(StatusCode::TEMPORARY_REDIRECT, location.as_ref())
}

/// Ends the handler with a 308 to `location`: a redirect that caches and search engines may keep.
///
/// Otherwise as [`redirect`].
pub fn permanent_redirect(location: impl AsRef<str>) -> Error {
    redirect_with(StatusCode::PERMANENT_REDIRECT, location.as_ref())
}

/// Ends the handler with an empty 404.
pub fn not_found() -> Error {
    empty(StatusCode::NOT_FOUND)
}

/// Ends the handler with an empty 403: the client is known, but may not.
pub fn forbidden() -> Error {
    empty(StatusCode::FORBIDDEN)
}

/// Ends the handler with an empty 401: the client has to say who it is.
pub fn unauthorized() -> Error {
    empty(StatusCode::UNAUTHORIZED)
}

fn empty(status: StatusCode) -> Error {
    Error::signal(Response::new(Body::empty()).with_status(status))
}

fn redirect_with(status: StatusCode, location: &str) -> Error {
    match location_value(location) {
        Ok(value) => Error::signal(
            Response::new(Body::empty())
                .with_status(status)
                .with_header(header::LOCATION, value),
        ),
        Err(error) => error.into(),
    }
}

/// Makes the value of a `Location` header: characters outside ASCII are percent-encoded.
pub(crate) fn location_value(location: &str) -> anyhow::Result<HeaderValue> {
    if location.is_empty() {
        anyhow::bail!("a redirect needs a location, but it is empty");
    }
    if let Some(bad) = location.chars().find(|c| c.is_ascii_control()) {
        anyhow::bail!("a location can't hold the control character {bad:?}: `{location:?}`");
    }
    let mut encoded = String::with_capacity(location.len());
    for byte in location.bytes() {
        match byte {
            b' '..=b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(HeaderValue::from_str(&encoded)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_error_keeps_its_status_through_anyhow() {
        let error: Error = RequestError::TooLarge(10).into();
        assert_eq!(error.status(), 413);
        let error: Error = anyhow::Error::from(RequestError::Form(String::new())).into();
        assert_eq!(error.status(), 400);
    }

    #[test]
    fn any_other_error_is_a_silent_500() {
        let error: Error = std::io::Error::other("secret").into();
        let response = error.into_response();
        assert_eq!(response.status(), 500);
        assert!(response.headers().is_empty());
        assert_eq!(crate::test::text(response), "");
    }

    #[test]
    fn locations() {
        for (given, sent) in [
            ("/target", "/target"),
            ("sub/path?a=1#b", "sub/path?a=1#b"),
            ("/café/✓", "/caf%C3%A9/%E2%9C%93"),
            ("/a b", "/a b"),
        ] {
            let response = redirect(given).into_response();
            assert_eq!(response.status(), 307);
            assert_eq!(response.headers()["location"], sent);
        }
        for refused in ["", "/a\r\nSet-Cookie: x=1", "/\0"] {
            assert_eq!(permanent_redirect(refused).status(), 500, "{refused:?}");
        }
    }
}
