//! The response: the Web's `Response`, and what handlers may return in its place.

use std::fmt;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, response::Parts};
use serde::Serialize;

use crate::error::location_value;
use crate::{Body, Error, Event, Result};

/// A response, as [the Fetch standard](https://fetch.spec.whatwg.org/#response-class) has it.
///
/// It wraps a response of the `http` crate, and converts from and into one.
///
/// # Examples
///
/// ```
/// use waypost::Response;
///
/// let page = Response::new("<h1>Hello</h1>")
///     .with_header("content-type", "text/html; charset=utf-8")
///     .with_header("cache-control", "max-age=60");
/// assert_eq!(page.status(), 200);
/// ```
pub struct Response {
    inner: http::Response<Body>,
    /// What went wrong while it was put together: it is answered as a 500.
    fault: Option<anyhow::Error>,
}

impl Response {
    /// Makes a 200 of this body. Text gets the content type `text/plain;charset=UTF-8`, bytes and
    /// streams get none.
    pub fn new(body: impl Into<Body>) -> Self {
        let body = body.into();
        let content_type = body.media_type().map(HeaderValue::from_static);
        let mut response = Self {
            inner: http::Response::new(body),
            fault: None,
        };
        if let Some(content_type) = content_type {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, content_type);
        }
        response
    }

    /// Makes a 200 of a value as JSON.
    ///
    /// # Errors
    ///
    /// An [`Error`] (a 500) where the value can't be written as JSON: a map with keys that are no
    /// strings, or a `Serialize` that fails.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let body = serde_json::to_vec(value)?;
        Ok(Self::new(body).with_header(header::CONTENT_TYPE, "application/json"))
    }

    /// Makes a 302 to a location; for another status, `.with_status(303)`.
    ///
    /// The location may be relative, and is not checked: never pass on a client's text unseen.
    pub fn redirect(location: impl AsRef<str>) -> Self {
        match location_value(location.as_ref()) {
            Ok(location) => Self::new(Body::empty())
                .with_status(StatusCode::FOUND)
                .with_header(header::LOCATION, location),
            Err(fault) => Self {
                fault: Some(fault),
                ..Self::new(Body::empty())
            },
        }
    }

    /// Makes a 200 of server-sent events
    /// ([HTML standard, section 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).
    pub fn events(events: impl Stream<Item = Event> + 'static) -> Self {
        Self::new(Body::from_stream(events.map(|event| event.to_string())))
            .with_header(header::CONTENT_TYPE, "text/event-stream")
            .with_header(header::CACHE_CONTROL, "no-cache, no-transform")
    }

    /// Sets the status code. One outside 200 to 599 makes the answer a 500, as in Fetch.
    #[must_use]
    pub fn with_status<S>(mut self, status: S) -> Self
    where
        S: TryInto<StatusCode, Error: Into<http::Error>>,
    {
        match status.try_into().map_err(Into::into) {
            Ok(status) => *self.inner.status_mut() = status,
            Err(error) => self.fault = Some(error.into()),
        }
        self
    }

    /// Sets a header, in place of any values that it had.
    ///
    /// A name or value that HTTP does not allow (a line break, say) makes the answer a 500.
    #[must_use]
    pub fn with_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        match pair(name, value) {
            Ok((name, value)) => drop(self.headers_mut().insert(name, value)),
            Err(error) => self.fault = Some(error),
        }
        self
    }

    /// Adds a value to a header, beside any values that it has; otherwise as [`Response::with_header`].
    #[must_use]
    pub fn with_appended_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        match pair(name, value) {
            Ok((name, value)) => drop(self.headers_mut().append(name, value)),
            Err(error) => self.fault = Some(error),
        }
        self
    }

    /// Returns the status code.
    pub fn status(&self) -> StatusCode {
        match self.fault {
            Some(_) => StatusCode::INTERNAL_SERVER_ERROR,
            None => self.inner.status(),
        }
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Returns the headers, to change them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.inner.headers_mut()
    }

    /// Returns the body.
    pub fn body(&self) -> &Body {
        self.inner.body()
    }

    /// Returns the body, to replace it.
    pub fn body_mut(&mut self) -> &mut Body {
        self.inner.body_mut()
    }

    /// Makes the response that goes out: a fault of its making becomes a 500.
    pub(crate) fn checked(mut self) -> Self {
        if let Some(fault) = self.fault.take().or_else(|| self.unsendable()) {
            return Error::from(fault).into_response();
        }
        self
    }

    fn unsendable(&self) -> Option<anyhow::Error> {
        let status = self.inner.status();
        if !(200..600).contains(&status.as_u16()) {
            return Some(anyhow::anyhow!(
                "a handler can't answer with the status {status}"
            ));
        }
        let without_body = matches!(status.as_u16(), 204 | 205 | 304);
        (without_body && !self.body().is_empty())
            .then(|| anyhow::anyhow!("a response with the status {status} can't have a body"))
    }
}

fn pair<N, V>(name: N, value: V) -> anyhow::Result<(HeaderName, HeaderValue)>
where
    N: TryInto<HeaderName, Error: Into<http::Error>>,
    V: TryInto<HeaderValue, Error: Into<http::Error>>,
{
    let name = name.try_into().map_err(Into::into)?;
    let value = value
        .try_into()
        .map_err(|error| anyhow::Error::from(error.into()).context(format!("header `{name}`")))?;
    Ok((name, value))
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("headers", self.headers())
            .field("body", self.body())
            .field("fault", &self.fault)
            .finish()
    }
}

impl<B: Into<Body>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Self {
        Self {
            inner: response.map(Into::into),
            fault: None,
        }
    }
}

impl From<Response> for http::Response<Body> {
    fn from(response: Response) -> Self {
        response.checked().inner
    }
}

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

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl<B: Into<Body>> IntoResponse for http::Response<B> {
    fn into_response(self) -> Response {
        self.into()
    }
}

macro_rules! body_into_response {
    ($($body:ty),*) => {$(
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

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        Response::new(Body::empty()).with_status(self)
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(reply) => reply.into_response(),
            Err(error) => error.into().into_response(),
        }
    }
}

impl From<Parts> for Response {
    fn from(parts: Parts) -> Self {
        http::Response::from_parts(parts, Body::empty()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::text;

    #[test]
    fn content_types() {
        let content_type = |response: Response| {
            response
                .headers()
                .get("content-type")
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            content_type(Response::new("a")).unwrap(),
            "text/plain;charset=UTF-8"
        );
        assert_eq!(content_type(Response::new(vec![1])), None);
        assert_eq!(content_type(Response::new(Body::from_iter(["a"]))), None);
        assert_eq!(
            content_type(Response::json(&[1]).unwrap()).unwrap(),
            "application/json"
        );
    }

    #[test]
    fn faults_become_a_500() {
        for response in [
            Response::new("").with_header("x-a", "1\r\nx-b: 2"),
            Response::new("").with_header("x a", "1"),
            Response::new("").with_status(1000),
            Response::new("").with_status(101),
            Response::new("body").with_status(204),
            Response::redirect("/\n"),
        ] {
            let response = response.checked();
            assert_eq!(response.status(), 500);
            assert_eq!(text(response), "");
        }
    }

    #[test]
    fn appended_headers() {
        let response = Response::new("")
            .with_appended_header("x-a", "1")
            .with_appended_header("x-a", "2");
        assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
    }

    #[test]
    fn replies() {
        assert_eq!(StatusCode::NO_CONTENT.into_response().status(), 204);
        assert_eq!((StatusCode::CREATED, "a").into_response().status(), 201);
        let failed: Result<&str, std::fmt::Error> = Err(std::fmt::Error);
        assert_eq!(failed.into_response().status(), 500);
    }

    #[test]
    fn json_that_cannot_be_written() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(Response::json(&map).unwrap_err().status(), 500);
    }
}
