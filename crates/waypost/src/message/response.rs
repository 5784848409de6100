//! Responses: [`Response`], the types that convert into one, and header values.

pub(crate) mod caching;
mod conditional;
pub(crate) mod head;
mod into_response;

use std::fmt;

use bytes::Bytes;
use futures::Stream;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::header_value::parse_header;
pub use super::header_value::{HeaderValueError, IntoHeaderValue};
use crate::body::{DEFAULT_BODY_LIMIT, coding};
use crate::client::FetchError;
use crate::cookies::{Cookie, CookieError, Cookies, remove_header_of};
use crate::extract::Exchange;
use crate::request::decode_utf8;
use crate::run::origin::{Origin, X_REQUEST_ID, log_error};
use crate::sse::Event;
use crate::{Body, Error, Result};
use head::{Head, Name, Value};
pub use into_response::{Html, IntoHeaders, IntoResponse};

/// A response, after [the Fetch standard](https://fetch.spec.whatwg.org/#response-class).
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
pub struct Response(Box<Inner>);

/// On the heap, because a response is moved many times before it is sent.
struct Inner {
    head: Head,
    body: Body,
    /// The first mistake in building the response, which turns it into a 500.
    fault: Option<String>,
    /// The cause of a 500, which is logged when the response is sent.
    cause: Option<String>,
    /// Replaces the response by a 500 if it is invalid. A function pointer, set by every method that may make it
    /// invalid, so that other components do not contain the code: 4.1 kB of `/hello`.
    check: Option<Check>,
    /// The cookies that it sets, if any.
    cookies: Option<Cookies>,
}

/// Replaces an invalid response by a 500, and logs the cause of a 500. The request is unknown if a response is only
/// converted.
pub(crate) type Check = fn(Response, Option<&Exchange>) -> Response;

impl Response {
    /// Creates a 200 with this body. Text has the content type `text/plain;charset=UTF-8`, bytes and streams have
    /// none.
    pub fn new(body: impl Into<Body>) -> Self {
        Self::with_body(body.into())
    }

    fn with_body(body: Body) -> Self {
        let (typed, check) = (body.typed(), body.check());
        let response = Self::of(Head::new(), body, check);
        match typed {
            Some(typed) => typed(response),
            None => response,
        }
    }

    fn of(head: Head, body: Body, check: Option<Check>) -> Self {
        Self(Box::new(Inner {
            head,
            body,
            fault: None,
            cause: None,
            check,
            cookies: None,
        }))
    }

    /// Creates a 200 with a value as JSON.
    ///
    /// # Errors
    ///
    /// An [`Error`] (a 500) if the value can't be serialized: it has a map whose keys are not strings, or its
    /// `Serialize` fails.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let body = serde_json::to_vec(value)?;
        Ok(Self::new(body).with_known_header(CONTENT_TYPE, "application/json".into()))
    }

    /// Creates a redirect to an absolute URL, like `Response.redirect` of the Fetch standard, whose default status is
    /// 302. For a redirect to a path see [`redirect`](crate::redirect).
    ///
    /// # Errors
    ///
    /// An [`Error`] (a 500) if the URL is not absolute, or the status is not 301, 302, 303, 307 or 308.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::{Request, Response, Result};
    ///
    /// async fn get(req: Request) -> Result {
    ///     Response::redirect(req.url().join("/login")?, 303)
    /// }
    /// ```
    pub fn redirect(url: impl AsRef<str>, status: u16) -> Result<Self> {
        let url = url.as_ref();
        let url = url::Url::parse(url)
            .map_err(|error| Error::fault(format!("`{url}` is not an absolute URL: {error}")))?;
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return Err(Error::fault(format!(
                "{status} is not a status of redirects: use 301, 302, 303, 307 or 308"
            )));
        }
        let response = Self::new(Body::empty()).with_status(status);
        Ok(response.with_header(header::LOCATION, url.as_str()))
    }

    /// Creates a 200 with a stream of server-sent events
    /// ([HTML standard, section 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).
    pub fn events(events: impl Stream<Item = Event> + 'static) -> Self {
        Self::new(Body::from_stream(events))
            .with_known_header(CONTENT_TYPE, "text/event-stream".into())
            .with_known_header("cache-control", "no-cache, no-transform".into())
    }

    /// Sets the status. As in Fetch it has to be between 200 and 599; otherwise the response becomes a 500.
    #[must_use]
    pub fn with_status<S>(mut self, status: S) -> Self
    where
        S: TryInto<StatusCode, Error: Into<http::Error>>,
    {
        match status.try_into().map_err(Into::into) {
            Ok(status) => {
                self.0.check = Some(Self::valid_or_500);
                self.with_known_status(status)
            }
            Err(error) => self.with_fault(error.to_string()),
        }
    }

    /// Sets a header, and replaces any values that it had.
    ///
    /// If the name or value is invalid in HTTP (it contains a line break, say), the response becomes a 500.
    #[must_use]
    pub fn with_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: AsRef<str>,
        V: IntoHeaderValue,
    {
        match pair(name.as_ref(), value) {
            Ok((name, value)) => self.0.head.insert(name, value),
            Err(error) => return self.with_fault(error),
        }
        self
    }

    /// Adds a value to a header, and keeps the values that it has; otherwise like [`Response::with_header`].
    #[must_use]
    pub fn with_appended_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: AsRef<str>,
        V: IntoHeaderValue,
    {
        match pair(name.as_ref(), value) {
            Ok((name, value)) => self.0.head.append(name, value),
            Err(error) => return self.with_fault(error),
        }
        self
    }

    /// Adds a header that is not set yet, and whose value is known to be valid.
    pub(crate) fn with_known_header(mut self, name: &'static str, value: Value) -> Self {
        self.0.head.add(name, value);
        self
    }

    /// Sets the `Location` header, which the host may refuse for its length.
    pub(crate) fn with_location(mut self, location: Vec<u8>) -> Self {
        self.0.head.insert("location", location);
        self
    }

    /// Sets a status that is known to be valid together with the body.
    pub(crate) fn with_known_status(mut self, status: StatusCode) -> Self {
        self.0.head.status = status;
        self
    }

    fn with_fault(mut self, fault: String) -> Self {
        self.0.fault = Some(fault);
        self.0.check = Some(Self::valid_or_500);
        self
    }

    /// Sets a cookie, like [`Cookies::set`]. It replaces a `Set-Cookie` header of the same name, path and domain that was
    /// set before. If it is invalid, the response becomes a 500.
    #[must_use]
    pub fn with_cookie(mut self, cookie: impl Into<Cookie>) -> Self {
        let cookie = cookie.into();
        remove_header_of(&cookie, self.0.head.headers_mut());
        if let Err(error) = self.cookies().set(cookie) {
            let error: CookieError = error;
            return self.with_fault(error.to_string());
        }
        self
    }

    /// Returns the cookies that this response sets, like Next's `response.cookies`. Cookies that the handler sets
    /// through its [`Context`](crate::Context) are kept apart from them, and are sent too.
    pub fn cookies(&mut self) -> Cookies {
        self.0.cookies.get_or_insert_default().clone()
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        match self.0.fault {
            Some(_) => StatusCode::INTERNAL_SERVER_ERROR,
            None => self.0.head.status,
        }
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        self.0.head.headers()
    }

    /// Returns the headers for changes.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.0.head.headers_mut()
    }

    /// Returns the body.
    pub fn body(&self) -> &Body {
        &self.0.body
    }

    /// Returns the body for changes.
    pub fn body_mut(&mut self) -> &mut Body {
        self.0.check = Some(Self::valid_or_500);
        &mut self.0.body
    }

    /// Returns whether the status is a success: 200 to 299.
    pub fn is_ok(&self) -> bool {
        self.status().is_success()
    }

    /// Reads the whole body of a fetched response, up to [`DEFAULT_BODY_LIMIT`](crate::body::DEFAULT_BODY_LIMIT)
    /// bytes. A compressed body is returned as it is.
    ///
    /// # Errors
    ///
    /// [`FetchError::Body`] beyond the limit, or if the body broke off.
    pub async fn bytes(self) -> Result<Bytes, FetchError> {
        let bytes = self.0.body.bytes(DEFAULT_BODY_LIMIT).await;
        bytes.map_err(|error| FetchError::Body(error.to_string()))
    }

    /// Reads the whole body of a fetched response as UTF-8 text: invalid bytes become U+FFFD. A body whose
    /// `Content-Encoding` is gzip, deflate, `br` (with the feature `brotli`) or `zstd` (with the feature `zstd`) is
    /// decoded; the limit applies to both forms. Both features are enabled by default.
    ///
    /// # Errors
    ///
    /// [`FetchError::Body`] if it can't be decoded, or if a zstd window is larger than 8 MiB (RFC 9659); otherwise like
    /// [`Response::bytes`].
    pub async fn text(self) -> Result<String, FetchError> {
        if !coding::is_encoded(self.headers()) {
            return Ok(decode_utf8(&self.bytes().await?));
        }
        let headers = self.headers().clone();
        let decoded = coding::decode_response(self.bytes().await?, &headers, DEFAULT_BODY_LIMIT);
        let decoded = decoded.map_err(|error| FetchError::Body(error.to_string()))?;
        Ok(decode_utf8(&decoded))
    }

    /// Reads the whole body of a fetched response as JSON.
    ///
    /// # Errors
    ///
    /// [`FetchError::Body`] if it is not JSON or not a `T`; otherwise like [`Response::text`].
    pub async fn into_json<T: DeserializeOwned>(self) -> Result<T, FetchError> {
        serde_json::from_str(&self.text().await?)
            .map_err(|error| FetchError::Body(error.to_string()))
    }

    /// Creates an empty 500 whose cause is logged when it is sent.
    pub(crate) fn failed(cause: String) -> Self {
        let mut response =
            Self::new(Body::empty()).with_known_status(StatusCode::INTERNAL_SERVER_ERROR);
        response.0.cause = Some(cause);
        response.0.check = Some(Self::valid_or_500);
        response
    }

    /// Returns the response as it is sent: a 500 in place of an invalid one, and with its cookies as headers.
    pub(crate) fn checked(self, exchange: Option<&Exchange>) -> Self {
        let mut response = match self.0.check {
            Some(check) => check(self, exchange),
            None => self,
        };
        if let Some(cookies) = response.0.cookies.take() {
            cookies.apply(&mut response.0.head);
        }
        response
    }

    /// Replaces an invalid response by a 500, and logs the cause of a 500.
    pub(crate) fn valid_or_500(self, exchange: Option<&Exchange>) -> Self {
        let mut response = self.replaced_if_invalid();
        if let Some(cause) = response.0.cause.take() {
            response.log(&cause, exchange);
        }
        response
    }

    /// Replaces an invalid response by a 500, whose cause is logged when it is sent.
    pub(crate) fn replaced_if_invalid(mut self) -> Self {
        let Some(fault) = self.0.fault.take().or_else(|| self.mistake()) else {
            return self;
        };
        let response = Self::failed(self.0.cause.take().unwrap_or(fault));
        // In Next a body that was already read fails only after the head was written.
        let content_type = self.0.head.get(CONTENT_TYPE);
        match content_type.filter(|_| self.body().is_used()) {
            Some(content_type) => response.with_known_header(CONTENT_TYPE, content_type),
            None => response,
        }
    }

    /// Logs the cause of a 500, and names its request to the client as the log does.
    fn log(&mut self, cause: &str, exchange: Option<&Exchange>) {
        let origin = exchange.map(Exchange::origin);
        log_error(cause, origin.as_ref());
        if let Some(id) = origin.as_ref().and_then(Origin::request_id) {
            // A router adds it otherwise.
            self.0
                .head
                .add_to_list(X_REQUEST_ID, id.as_bytes().to_vec().into());
        }
    }

    /// Drops a stream as soon as it has not failed at once.
    pub(crate) fn probe(&mut self) {
        self.0.body.probe();
    }

    /// Drops the body.
    pub(crate) fn empty(&mut self) {
        self.0.body = Body::empty();
    }

    /// Makes a streamed body fail unless it has exactly this length.
    pub(crate) fn measure(&mut self, length: u64) {
        let body = std::mem::take(&mut self.0.body);
        self.0.body = body.measured(length);
    }

    /// Converts into the body, once the head was sent.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_body(self) -> Body {
        self.0.body
    }

    /// Returns the head.
    pub(crate) fn head(&self) -> &Head {
        &self.0.head
    }

    /// Returns the head for changes.
    pub(crate) fn head_mut(&mut self) -> &mut Head {
        &mut self.0.head
    }

    fn mistake(&self) -> Option<String> {
        // As a number: displaying a `StatusCode` would add the table of reason phrases to the component.
        let status = self.0.head.status.as_u16();
        if !(200..600).contains(&status) {
            return Some(format!("a response can't have the status {status}"));
        }
        if self.body().is_used() {
            return Some("the body of the response was already read".to_owned());
        }
        let without_body = matches!(status, 204 | 205 | 304);
        (without_body && !self.body().is_empty())
            .then(|| format!("a response with the status {status} can't have a body"))
    }
}

const CONTENT_TYPE: &str = "content-type";

fn pair(name: &str, value: impl IntoHeaderValue) -> Result<(Name, HeaderValue), String> {
    let (name, value) = parse_header(name, value)?;
    Ok((Name::Owned(name.as_str().to_owned()), value))
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("headers", self.headers())
            .field("body", self.body())
            .field("fault", &self.0.fault)
            .finish()
    }
}

impl<B: Into<Body>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        Self::of(parts.into(), body.into(), Some(Self::valid_or_500))
    }
}

impl From<Response> for http::Response<Body> {
    fn from(response: Response) -> Self {
        let Inner { mut head, body, .. } = *response.checked(None).0;
        head.finish(None);
        Self::from_parts(head.into_parts(), body)
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
    fn invalid_responses_become_a_500() {
        for response in [
            Response::new("").with_header("x-a", "1\r\nx-b: 2"),
            Response::new("").with_header("x a", "1"),
            Response::new("").with_status(1000),
            Response::new("").with_status(101),
            Response::new("body").with_status(204),
        ] {
            let response = response.checked(None);
            assert_eq!(response.status(), 500);
            assert_eq!(text(response), "");
        }
    }

    #[test]
    fn the_cause_of_a_500_names_the_header_or_the_cookie() {
        for (response, name) in [
            (Response::new("").with_header("x a", "1"), "`x a`"),
            (Response::new("").with_appended_header("", "1"), "``"),
            (Response::new("").with_header("x-a", "1\n2"), "`x-a`"),
            (([("x-a", "\0")], "").into_response(), "`x-a`"),
            (Response::new("").with_cookie(("a b", "1")), "`a b`"),
            (
                Response::new("").with_cookie(Cookie::new("a", "1").path("/;")),
                "`a`",
            ),
        ] {
            let response = response.replaced_if_invalid();
            let cause = response.0.cause.unwrap();
            assert!(cause.contains(name), "{cause}");
        }
    }

    #[test]
    fn a_body_that_was_already_read_is_a_500() {
        let request = crate::Request::post("/", "read");
        request.body();
        let response = Response::new(request.body())
            .with_header("content-type", "text/html")
            .with_header("x-a", "1")
            .checked(None);
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["content-type"], "text/html");
        assert!(!response.headers().contains_key("x-a") && response.body().is_empty());
    }

    #[test]
    fn appended_headers() {
        let response = Response::new("")
            .with_appended_header("x-a", "1")
            .with_appended_header("x-a", "2");
        assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
    }

    #[test]
    fn redirects_need_an_absolute_url_and_a_redirect_status() {
        let response = Response::redirect("https://example.com", 302).unwrap();
        assert_eq!(response.headers()["location"], "https://example.com/");
        for (url, status) in [("/relative", 302), ("https://example.com", 304), ("", 301)] {
            assert_eq!(Response::redirect(url, status).unwrap_err().status(), 500);
        }
    }

    #[test]
    fn the_cookie_that_was_set_last_counts() {
        let by_hand = "a=1; Path=/; Secure";
        let lines = |response: Response| {
            let response = response.checked(None);
            let lines = response.headers().get_all("set-cookie").iter();
            let lines: Vec<_> = lines
                .map(|line| line.to_str().unwrap().to_owned())
                .collect();
            lines
        };
        let last = Response::new("")
            .with_appended_header("set-cookie", by_hand)
            .with_appended_header("set-cookie", "b=1")
            .with_cookie(("a", "2"));
        assert_eq!(lines(last), ["b=1", "a=2; Path=/"]);
        let first = Response::new("")
            .with_cookie(("a", "2"))
            .with_appended_header("set-cookie", by_hand);
        assert_eq!(lines(first), [by_hand]);
    }

    #[test]
    fn cookies_of_a_response() {
        let mut response = Response::new("").with_cookie(("a", "1"));
        response.cookies().set(("b", "2")).unwrap();
        let response = response.checked(None);
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1; Path=/", "b=2; Path=/"]);
        assert_eq!(
            Response::new("")
                .with_cookie(("a b", "1"))
                .checked(None)
                .status(),
            500
        );
    }

    #[test]
    fn json_that_cannot_be_serialized() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(Response::json(&map).unwrap_err().status(), 500);
    }
}
