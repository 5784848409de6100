//! Errors: why a handler did not return its usual reply, and the functions that end it early, such as [`redirect`].
//!
//! `?` converts any error into [`Error`]. It deliberately does not implement [`std::error::Error`]: that is what
//! allows the conversion from every type that does, and from `anyhow::Error`.

mod early;
#[cfg(feature = "spin")]
pub(crate) mod missing_grant;
mod request;

use std::fmt;

use http::StatusCode;

use crate::Response;
use crate::body::coding::ACCEPTED;
use crate::response::IntoResponse;
pub(crate) use early::location_of;
pub use early::{forbidden, not_found, permanent_redirect, redirect, see_other, unauthorized};
pub use request::RequestError;

/// The result of a handler: a reply of type `T`, or an [`Error`].
pub type Result<T = Response, E = Error> = std::result::Result<T, E>;

/// Why a handler did not return its usual reply.
///
/// It holds one of three things:
///
/// - a [`Response`], which is sent as it is: one of your own, or one from [`redirect`], [`not_found`] and the other
///   functions of this module;
/// - a [`RequestError`]: the client sent something that the handler can't use. The response is a 400, 413 or 415 with
///   a
///   short text that says what was wrong;
/// - any other error: the response is a 500 with an empty body, and the text goes to the log only.
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
///
/// A response with headers of your own ends a handler in the same way:
///
/// ```
/// use waypost::{Request, Response, Result};
///
/// fn user(req: &Request) -> Result<&str> {
///     let challenge = || Response::new("Who are you?")
///         .with_status(401)
///         .with_header("www-authenticate", "Bearer");
///     Ok(req.header("authorization").ok_or_else(challenge)?)
/// }
/// # let error = user(&Request::get("/")).unwrap_err();
/// # assert_eq!(error.status(), 401);
/// ```
pub struct Error(Box<Kind>);

enum Kind {
    Signal(Response),
    Request(RequestError),
    /// A server-side error that the SDK itself reports. Plain text, because an `anyhow::Error` would add the code of
    /// all its formatting to every component.
    Fault(String),
    Internal(anyhow::Error),
}

impl Error {
    /// Creates an error whose response has this status and `message` as plain text.
    ///
    /// If `status` is not a valid HTTP status code, the response is a 500.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        match StatusCode::from_u16(status) {
            Ok(status) => Self::signal(Response::new(message.into()).with_status(status)),
            Err(_) => Self::fault(format!("`{status}` is not an HTTP status code")),
        }
    }

    fn signal(response: Response) -> Self {
        Self(Box::new(Kind::Signal(response)))
    }

    /// Creates an error whose response is a 500. The text goes to the log only.
    pub(crate) fn fault(text: impl Into<String>) -> Self {
        Self(Box::new(Kind::Fault(text.into())))
    }

    /// Returns the status code that the client will see.
    pub fn status(&self) -> StatusCode {
        match &*self.0 {
            Kind::Signal(response) => response.status(),
            Kind::Request(error) => error.status(),
            Kind::Fault(_) | Kind::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Signal(response) => write!(f, "signal({})", response.status()),
            Kind::Request(error) => write!(f, "{error:?}"),
            Kind::Fault(text) => f.write_str(text),
            Kind::Internal(error) => write!(f, "{error:?}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Signal(response) => write!(f, "the handler ended with {}", response.status()),
            Kind::Request(error) => error.fmt(f),
            Kind::Fault(text) => f.write_str(text),
            Kind::Internal(error) => error.fmt(f),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(match error.into().downcast::<RequestError>() {
            Ok(error) => Kind::Request(error),
            #[cfg(feature = "spin")]
            Err(error) => Kind::Internal(crate::error::missing_grant::explained(error)),
            #[cfg(not(feature = "spin"))]
            Err(error) => Kind::Internal(error),
        }))
    }
}

/// Ends a handler with this response: `Err(response.into())`, or `?` on a `Result` whose error is a response.
impl From<Response> for Error {
    fn from(response: Response) -> Self {
        Self::signal(response)
    }
}

#[diagnostic::do_not_recommend]
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match *self.0 {
            Kind::Signal(response) => response,
            // The text of a 500 is for the log only.
            Kind::Request(error) if error.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                Response::failed(error.to_string())
            }
            Kind::Request(error) => {
                let response = Response::new(error.to_string()).with_status(error.status());
                match error {
                    RequestError::ContentEncoding(_) => {
                        response.with_known_header("accept-encoding", ACCEPTED.into())
                    }
                    _ => response,
                }
            }
            Kind::Fault(text) => Response::failed(text),
            Kind::Internal(error) => Response::failed(Chain(&error).to_string()),
        }
    }
}

/// Displays an error and its causes on one line, for the log.
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
    fn any_other_error_is_an_empty_500() {
        let error: Error = std::io::Error::other("secret").into();
        let response = error.into_response();
        assert_eq!(response.status(), 500);
        assert!(response.headers().is_empty());
        assert_eq!(crate::test::text(response), "");
    }

    #[test]
    fn a_response_ends_a_handler() {
        let busy = || {
            let response = Response::new("later").with_status(429);
            response.with_header("retry-after", "30")
        };
        let through = || -> Result<()> { Err(busy())? };
        let response = through().into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "30");
        let faulty = Error::from(busy().with_header("x", "\0"));
        assert_eq!(faulty.status(), 500);
    }
}
