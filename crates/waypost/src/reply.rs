//! What handlers may return in place of a response.

use bytes::Bytes;
use http::StatusCode;

use crate::{Body, Error, Response, Result};

/// What a handler may return.
///
/// | type | response |
/// | --- | --- |
/// | [`Response`], `http::Response` | itself |
/// | `&'static str`, `String` | text |
/// | `Vec<u8>`, `Bytes`, `&'static [u8]`, [`Body`] | bytes, without a content type |
/// | [`Json<T>`](crate::Json) | JSON |
/// | [`StatusCode`] | an empty response of that status |
/// | `(StatusCode, T)` | `T` with that status |
/// | `()` | an empty 200 |
/// | `Result<T, E>` | `T`, or the error, where `E` is [`Error`] or converts into it |
#[diagnostic::on_unimplemented(
    message = "a handler can't return `{Self}`",
    label = "this handler's return type can't become a response",
    note = "return a `Response`, a `String` or `&'static str`, bytes, `Json<T>`, `StatusCode`, \
            `(StatusCode, T)`, `()`, or a `waypost::Result` of one of them"
)]
pub trait IntoResponse {
    /// Converts into a response.
    fn into_response(self) -> Response;
}

#[diagnostic::do_not_recommend]
impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<B: Into<Body>> IntoResponse for http::Response<B> {
    fn into_response(self) -> Response {
        self.into()
    }
}

macro_rules! body_into_response {
    ($($body:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl IntoResponse for $body {
            fn into_response(self) -> Response {
                Response::new(self)
            }
        }
    )*};
}

body_into_response!(
    (),
    &'static str,
    String,
    &'static [u8],
    Vec<u8>,
    Bytes,
    Body
);

#[diagnostic::do_not_recommend]
impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        Response::new(Body::empty()).with_status(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(reply) => reply.into_response(),
            Err(error) => error.into().into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies() {
        assert_eq!(StatusCode::NO_CONTENT.into_response().status(), 204);
        assert_eq!((StatusCode::CREATED, "a").into_response().status(), 201);
        let failed: Result<&str, std::fmt::Error> = Err(std::fmt::Error);
        assert_eq!(failed.into_response().status(), 500);
    }
}
