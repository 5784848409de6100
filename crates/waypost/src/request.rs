//! The request: the Web's `Request` with what Next adds to it.

mod address;
mod reading;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock};

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Uri, request::Parts};
use url::Url;

use crate::cookies::{Cookies, RequestCookies};
use crate::header_text::HeaderTexts;
use crate::{Body, RequestError, SearchParams};
pub(crate) use address::{is_inside, public_url};
pub(crate) use reading::{Source, decode_utf8};

/// A request, as [the Fetch standard](https://fetch.spec.whatwg.org/#request-class) and Next's
/// [`NextRequest`](https://nextjs.org/docs/app/api-reference/functions/next-request) have it.
///
/// Reading the body takes `&self`, and works once: the second time gives
/// [`RequestError::BodyUsed`].
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
    /// The jar of the exchange, where the request came through one.
    cookies: Option<Cookies>,
}

impl Request {
    /// Makes a `GET` request, as a test wants it: `Request::get("/items?page=2")`.
    ///
    /// # Panics
    ///
    /// If `target` is no valid request target; a request from a client never comes this way.
    pub fn get(target: &str) -> Self {
        Self::build(Method::GET, target, Body::empty())
    }

    /// Makes a `POST` request with a body, as a test wants it; the body brings its `Content-Type`, if it
    /// has one.
    ///
    /// # Panics
    ///
    /// As [`Request::get`].
    pub fn post(target: &str, body: impl Into<Body>) -> Self {
        Self::build(Method::POST, target, body.into())
    }

    /// Makes a request of any method, as a test wants it. As in the Fetch standard a body that has a media
    /// type brings its `Content-Type`: text, a form, search params.
    ///
    /// # Panics
    ///
    /// As [`Request::get`].
    pub fn build(method: Method, target: &str, body: impl Into<Body>) -> Self {
        let body = body.into();
        let mut builder = http::Request::builder().method(method).uri(target);
        if let Some(media_type) = body.media_type() {
            builder = builder.header(header::CONTENT_TYPE, media_type);
        }
        let request = builder.body(body);
        request
            .expect("the target and media type of a hand-made request are valid")
            .into()
    }

    /// Sets a header and returns the request.
    ///
    /// # Panics
    ///
    /// If the name or value is not valid in HTTP; for hand-made requests only.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let value = value
            .parse()
            .expect("the header value of a hand-made request is valid");
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

    /// Ties the request to the jar of its exchange.
    pub(crate) fn with_jar(mut self, cookies: Cookies) -> Self {
        self.cookies = Some(cookies);
        self
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// Returns the request target as it was received; behind the router its authority is the
    /// handler's own. The address that the client used is [`Request::url`].
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// Returns the URL that the client asked for, with the public scheme and authority.
    ///
    /// The path and query are as they were sent, but for what the
    /// [URL standard](https://url.spec.whatwg.org/) normalises.
    pub fn url(&self) -> &Url {
        self.url.get_or_init(|| public_url(&self.head))
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the headers, to change what later readers of this request see.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.texts = OnceLock::new();
        &mut Arc::make_mut(&mut self.head).headers
    }

    /// Returns the value of a header as text, as `Headers.get` of the Web does.
    ///
    /// Several lines are joined with `, `; of headers that there can be only one of (`Referer`,
    /// `User-Agent`…) the first counts. Bytes beyond ASCII are read as Latin-1, as in Next. The bytes
    /// themselves are in [`Request::headers`].
    pub fn header(&self, name: &str) -> Option<&str> {
        let texts = self
            .texts
            .get_or_init(|| HeaderTexts::of(&self.head.headers));
        texts.get(&self.head.headers, name)
    }

    /// Returns the names of the headers with their values as text, each as [`Request::header`] gives it.
    pub fn header_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.head.headers.keys().map(HeaderName::as_str);
        names.filter_map(|name| Some((name, self.header(name)?)))
    }

    /// Returns the cookies of the request, to read. To answer with cookies take
    /// [`Context::cookies`](crate::Context::cookies).
    pub fn cookies(&self) -> Cookies {
        self.cookies
            .clone()
            .unwrap_or_else(|| Cookies::of(&self.head.headers))
            .request_only()
    }

    /// Returns the cookies of the request, to change what later readers of the request see: its
    /// `Cookie` header, and the jar of the context. The client hears nothing of it.
    pub fn cookies_mut(&mut self) -> RequestCookies<'_> {
        let cookies = self
            .cookies
            .clone()
            .unwrap_or_else(|| Cookies::of(&self.head.headers));
        RequestCookies::new(cookies, self.headers_mut())
    }

    /// Returns the search params, as `URLSearchParams` has them.
    pub fn search_params(&self) -> SearchParams {
        SearchParams::parse(self.head.uri.query().unwrap_or_default())
    }

    /// Returns the first value of a search param as a `T`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`RequestError::Query`] where the value is no `T`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use waypost::Request;
    /// let req = Request::get("/search?query=hello&page=2");
    /// let page: u32 = req.query("page")?.unwrap_or(1);
    /// assert_eq!(page, 2);
    /// # Ok::<(), waypost::RequestError>(())
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
