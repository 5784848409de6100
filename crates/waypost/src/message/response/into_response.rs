//! Types that a handler may return in place of a [`Response`].

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::response::IntoHeaderValue;
use crate::{Body, Error, Response, Result};

/// Types that a handler may return.
///
/// | type | response |
/// | --- | --- |
/// | [`Response`], `http::Response` | that response |
/// | `&'static str`, `String` | text |
/// | `Vec<u8>`, `Bytes`, `&'static [u8]`, [`Body`] | bytes, without a content type |
/// | [`Json<T>`](crate::Json) | JSON |
/// | [`Html<T>`] | text or bytes as HTML |
/// | [`StatusCode`] | an empty response of that status |
/// | `(StatusCode, T)` | `T` with that status |
/// | `(headers, T)`, `(StatusCode, headers, T)` | `T` with these headers ([`IntoHeaders`]), which replace its own of the same names |
/// | `()` | an empty 200 |
/// | `Result<T, E>` | `T`, or the error: `E` is [`Error`] or converts into it |
///
/// # Examples
///
/// ```
/// use waypost::http::StatusCode;
/// use waypost::response::IntoResponse;
/// use waypost::Json;
///
/// async fn post() -> impl IntoResponse {
///     (StatusCode::CREATED, [("location", "/items/7")], Json(["an item"]))
/// }
/// # let reply = waypost::test::block_on(post()).into_response();
/// # assert_eq!((reply.status().as_u16(), &reply.headers()["location"]), (201, &"/items/7".parse().unwrap()));
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler can't return `{Self}`",
    label = "this handler's return type can't become a response",
    note = "return a `Response`, a `String` or `&'static str`, bytes, `Json<T>`, `Html<T>`, `StatusCode`, \
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

/// The headers of a reply: pairs of names and values, `[("x-a", "1")]`, or a `HeaderMap`.
///
/// If a name or value is invalid in HTTP, the response becomes a 500, as with [`Response::with_header`].
pub trait IntoHeaders {
    /// Sets the headers, and replaces those of the same names.
    fn set(self, response: Response) -> Response;
}

impl<N, V, const COUNT: usize> IntoHeaders for [(N, V); COUNT]
where
    N: AsRef<str>,
    V: IntoHeaderValue,
{
    fn set(self, response: Response) -> Response {
        let set = |response: Response, (name, value)| response.with_header(name, value);
        self.into_iter().fold(response, set)
    }
}

impl IntoHeaders for HeaderMap {
    fn set(self, mut response: Response) -> Response {
        // This replaces the values of a name by the first new one, and adds the others to it.
        response.headers_mut().extend(self);
        response
    }
}

#[diagnostic::do_not_recommend]
impl<H: IntoHeaders, T: IntoResponse> IntoResponse for (H, T) {
    fn into_response(self) -> Response {
        self.0.set(self.1.into_response())
    }
}

#[diagnostic::do_not_recommend]
impl<H: IntoHeaders, T: IntoResponse> IntoResponse for (StatusCode, H, T) {
    fn into_response(self) -> Response {
        (self.1, self.2).into_response().with_status(self.0)
    }
}

/// An HTML page: text or bytes with `Content-Type: text/html; charset=utf-8`.
///
/// Nothing is escaped. Escape text from clients before you put it into a page.
///
/// # Examples
///
/// ```
/// use waypost::Html;
///
/// async fn get() -> Html<&'static str> {
///     Html("<h1>Hello</h1>")
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Html<T>(pub T);

#[diagnostic::do_not_recommend]
impl<T: Into<Body>> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        Response::new(self.0.into().of_type("text/html; charset=utf-8"))
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
    fn replies_become_responses() {
        assert_eq!(StatusCode::NO_CONTENT.into_response().status(), 204);
        assert_eq!((StatusCode::CREATED, "a").into_response().status(), 201);
        let page = Html("<p>").into_response();
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        let failed: Result<&str, std::fmt::Error> = Err(std::fmt::Error);
        assert_eq!(failed.into_response().status(), 500);
    }

    #[test]
    fn headers_of_a_reply() {
        let reply = (StatusCode::ACCEPTED, [("content-type", "text/css")], "p {}").into_response();
        assert_eq!(reply.status(), 202);
        assert_eq!(reply.headers()["content-type"], "text/css");
        let refused = ([("x-a", "\0")], "").into_response();
        assert_eq!(refused.status(), 500);

        let mut map = HeaderMap::new();
        map.append("vary", "a".parse().unwrap());
        map.append("vary", "b".parse().unwrap());
        let vary = Response::new("").with_header("vary", "x");
        let reply = (map, vary).into_response();
        let lines: Vec<_> = reply.headers().get_all("vary").iter().collect();
        assert_eq!(lines, ["a", "b"]);
    }
}
