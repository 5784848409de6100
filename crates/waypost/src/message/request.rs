//! Requests: [`Request`], and the [`SearchParams`] of its URL.

mod accept;
mod public_url;
mod reading;
mod search_params;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock};

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Uri, request::Parts};
use url::Url;

use crate::Body;
use crate::cookies::{Cookies, RequestCookies};
use crate::error::RequestError;
use crate::message::header_value::HeaderTexts;
pub(crate) use public_url::{is_from_router, public_origin, public_url};
pub(crate) use reading::{Source, decode_utf8};
pub use search_params::SearchParams;

/// A request, after [the Fetch standard](https://fetch.spec.whatwg.org/#request-class) and Next's
/// [`NextRequest`](https://nextjs.org/docs/app/api-reference/functions/next-request).
///
/// The body is read through `&self`, and only once: the second time is a [`RequestError::BodyUsed`].
///
/// It wraps a request of the `http` crate, and converts from and into one.
///
/// # Examples
///
/// ```
/// use waypost::{Request, Response, Result};
///
/// async fn post(req: Request) -> Result {
///     let agent = req.header("user-agent").unwrap_or("unknown").to_owned();
///     let message: serde_json::Value = req.json().await?;
///     Response::json(&serde_json::json!({ "agent": agent, "message": message }))
/// }
/// ```
pub struct Request {
    head: Arc<Parts>,
    body: Mutex<Source>,
    url: OnceLock<Url>,
    texts: OnceLock<HeaderTexts>,
    /// The cookies of the exchange that the request belongs to, if any.
    cookies: Option<Cookies>,
}

impl Request {
    /// Creates a `GET` request, for tests: `Request::get("/items?page=2")`.
    ///
    /// # Panics
    ///
    /// If `target` is not a valid request target. Requests from clients are not created by this function.
    pub fn get(target: &str) -> Self {
        Self::build(Method::GET, target, Body::empty())
    }

    /// Creates a `POST` request with a body, for tests. If the body has a media type, it sets the `Content-Type`.
    ///
    /// # Panics
    ///
    /// Like [`Request::get`].
    pub fn post(target: &str, body: impl Into<Body>) -> Self {
        Self::build(Method::POST, target, body.into())
    }

    /// Creates a request with any method, for tests. As in the Fetch standard, a body with a media type (text, a
    /// form, search params) sets the `Content-Type`.
    ///
    /// # Panics
    ///
    /// Like [`Request::get`].
    pub fn build(method: Method, target: &str, body: impl Into<Body>) -> Self {
        let body = body.into();
        let mut builder = http::Request::builder().method(method).uri(target);
        if let Some(media_type) = body.media_type() {
            builder = builder.header(header::CONTENT_TYPE, media_type);
        }
        #[expect(
            clippy::expect_used,
            reason = "documented under \"Panics\": only tests create requests with it"
        )]
        let request = builder
            .body(body)
            .expect("the target and the media type are valid");
        request.into()
    }

    /// Sets a header, for tests.
    ///
    /// # Panics
    ///
    /// If the name or the value is not valid in HTTP.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let Ok(value) = value.parse() else {
            panic!("the header `{name}` can't have the value {value:?}");
        };
        self.headers_mut().insert(name, value);
        self
    }

    pub(crate) fn new(head: Arc<Parts>, body: Source) -> Self {
        Self {
            head,
            body: Mutex::new(body),
            url: OnceLock::new(),
            texts: OnceLock::new(),
            cookies: None,
        }
    }

    /// Attaches the cookies of the exchange.
    pub(crate) fn with_jar(mut self, cookies: Cookies) -> Self {
        self.cookies = Some(cookies);
        self
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// Returns the request target as it was received. Behind the router its authority is that of the handler;
    /// [`Request::url`] is the URL that the client used.
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// Returns the URL that the client asked for, with the public scheme and authority.
    ///
    /// The path and query are as the client sent them, normalised by the [URL
    /// standard](https://url.spec.whatwg.org/).
    pub fn url(&self) -> &Url {
        self.url.get_or_init(|| public_url(&self.head))
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the headers for changes, which later readers of this request see.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.texts = OnceLock::new();
        &mut Arc::make_mut(&mut self.head).headers
    }

    /// Returns the value of a header as text, or `None` if it is missing. It works like `Headers.get` on the Web.
    ///
    /// Several lines are joined with `, `. Of headers that occur only once (`Referer`, `User-Agent`…) the first line
    /// counts. Bytes beyond ASCII are decoded as Latin-1, as in Next; [`Request::headers`] has the raw bytes.
    pub fn header(&self, name: &str) -> Option<&str> {
        let texts = self
            .texts
            .get_or_init(|| HeaderTexts::of(&self.head.headers));
        texts.get(&self.head.headers, name)
    }

    /// Returns the name and the text of each header, as [`Request::header`] returns it.
    pub fn header_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.head.headers.keys().map(HeaderName::as_str);
        names.filter_map(|name| Some((name, self.header(name)?)))
    }

    /// Returns the cookies of the request, for reading. To set cookies on the response use
    /// [`Context::cookies`](crate::Context::cookies).
    pub fn cookies(&self) -> Cookies {
        self.cookies
            .clone()
            .unwrap_or_else(|| Cookies::of(&self.head.headers))
            .request_only()
    }

    /// Returns the cookies of the request for changes, which later readers see: in the `Cookie` header, and in the
    /// cookies of the context. Nothing of it is sent to the client.
    pub fn cookies_mut(&mut self) -> RequestCookies<'_> {
        let cookies = self
            .cookies
            .clone()
            .unwrap_or_else(|| Cookies::of(&self.head.headers));
        RequestCookies::new(cookies, self.headers_mut())
    }

    /// Returns the search params of the URL, like `URLSearchParams`.
    pub fn search_params(&self) -> SearchParams {
        SearchParams::parse(self.head.uri.query().unwrap_or_default())
    }

    /// Parses the first value of a search param, or returns `None` if it is missing.
    ///
    /// # Errors
    ///
    /// [`RequestError::Query`] if the value is not a valid `T`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use waypost::Request;
    /// let req = Request::get("/search?query=hello&page=2");
    /// let page: u32 = req.query("page")?.unwrap_or(1);
    /// assert_eq!(page, 2);
    /// # Ok::<(), waypost::error::RequestError>(())
    /// ```
    pub fn query<T: FromStr>(&self, name: &str) -> Result<Option<T>, RequestError> {
        let params = self.search_params();
        let Some(text) = params.get(name) else {
            return Ok(None);
        };
        let fault = |_| RequestError::Query(format!("`{name}` can't be `{text}`"));
        text.parse().map(Some).map_err(fault)
    }
}

impl<B: Into<Body>> From<http::Request<B>> for Request {
    fn from(request: http::Request<B>) -> Self {
        let (head, body) = request.into_parts();
        Self::new(Arc::new(head), Source::Body(body.into()))
    }
}

impl From<Request> for http::Request<Body> {
    fn from(request: Request) -> Self {
        let body = request.body();
        http::Request::from_parts(Arc::unwrap_or_clone(request.head), body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.head.method)
            .field("uri", &self.head.uri)
            .field("headers", &self.head.headers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_search_param() {
        let req = Request::get("/q?page=x&size=3");
        assert_eq!(req.query::<u8>("size").unwrap(), Some(3));
        assert_eq!(req.query::<u8>("other").unwrap(), None);
        let error = req.query::<u8>("page").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the query is not as expected: `page` can't be `x`"
        );
        assert_eq!(error.status(), 400);
    }
}
