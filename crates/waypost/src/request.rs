//! The request: the Web's `Request` with what Next adds to it.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Uri, request::Parts};
use serde::de::DeserializeOwned;
use url::Url;

use crate::body::DEFAULT_BODY_LIMIT;
use crate::cookies::{Cookies, RequestCookies};
use crate::header_text::HeaderTexts;
use crate::{Body, FormData, RequestError};

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
    body: Mutex<Body>,
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

    /// Makes a `POST` request with a body, as a test wants it.
    ///
    /// # Panics
    ///
    /// As [`Request::get`].
    pub fn post(target: &str, body: impl Into<Body>) -> Self {
        Self::build(Method::POST, target, body.into())
    }

    /// Makes a request of any method, as a test wants it.
    ///
    /// # Panics
    ///
    /// As [`Request::get`].
    pub fn build(method: Method, target: &str, body: impl Into<Body>) -> Self {
        let request = http::Request::builder()
            .method(method)
            .uri(target)
            .body(body);
        request
            .expect("the target of a hand-made request is valid")
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

    pub(crate) fn new(head: Arc<Parts>, body: Body) -> Self {
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

    /// Tells whether the body was read or taken out.
    pub fn body_used(&self) -> bool {
        self.body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_used()
    }

    /// Takes the body out, as a stream of chunks. What is left behind counts as read.
    pub fn body(&self) -> Body {
        self.body
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .claim()
    }

    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// [`RequestError::TooLarge`] beyond [`DEFAULT_BODY_LIMIT`], [`RequestError::Incomplete`],
    /// [`RequestError::BodyUsed`]. For a larger one, `req.body().bytes(limit)`.
    pub async fn bytes(&self) -> Result<Bytes, RequestError> {
        self.body().bytes(DEFAULT_BODY_LIMIT).await
    }

    /// Reads the whole body as UTF-8 text: a byte order mark is removed, invalid bytes become U+FFFD.
    ///
    /// # Errors
    ///
    /// As [`Request::bytes`].
    pub async fn text(&self) -> Result<String, RequestError> {
        Ok(decode_utf8(&self.bytes().await?))
    }

    /// Reads the whole body as JSON, whatever its `Content-Type`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Json`] where it is not JSON or no `T`; otherwise as [`Request::bytes`].
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        serde_json::from_str(&self.text().await?).map_err(RequestError::Json)
    }

    /// Reads the whole body as a form: `application/x-www-form-urlencoded`, or
    /// `multipart/form-data` with files.
    ///
    /// # Errors
    ///
    /// [`RequestError::ContentType`] for any other type, [`RequestError::Form`] where it is not
    /// well formed; otherwise as [`Request::bytes`].
    pub async fn form_data(&self) -> Result<FormData, RequestError> {
        let content_type = self
            .header(header::CONTENT_TYPE.as_str())
            .map(str::to_owned);
        FormData::read(content_type.as_deref(), self.body()).await
    }
}

impl<B: Into<Body>> From<http::Request<B>> for Request {
    fn from(request: http::Request<B>) -> Self {
        let (head, body) = request.into_parts();
        Self::new(Arc::new(head), body.into())
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

/// The search params of a URL: pairs in the order in which they were sent.
///
/// They are read as the URL standard reads
/// [`application/x-www-form-urlencoded`](https://url.spec.whatwg.org/#urlencoded-parsing): `+` is a
/// space, a malformed escape stays as it is, invalid UTF-8 becomes U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchParams(Vec<(String, String)>);

impl SearchParams {
    pub(crate) fn parse(query: &str) -> Self {
        Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// Returns the first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Returns all values of a name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Tells whether there is a value of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the pairs of names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Makes a `T` of the params, field by field. A `Vec` takes all values of its name.
    ///
    /// # Errors
    ///
    /// [`RequestError::Query`] where a field is missing or has the wrong form.
    pub fn into_typed<T: DeserializeOwned>(self) -> Result<T, RequestError> {
        crate::de::from_pairs(self.0).map_err(|error| RequestError::Query(error.to_string()))
    }
}

/// The pairs as a query: `application/x-www-form-urlencoded`, without the `?`.
impl fmt::Display for SearchParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        f.write_str(&query.extend_pairs(self.iter()).finish())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for SearchParams {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl From<SearchParams> for Body {
    fn from(params: SearchParams) -> Self {
        let media_type = "application/x-www-form-urlencoded;charset=UTF-8";
        Body::from(params.to_string()).of_type(media_type)
    }
}

impl IntoIterator for SearchParams {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Decodes as the encoding standard's "UTF-8 decode" does: without a byte order mark, and never failing.
pub(crate) fn decode_utf8(bytes: &[u8]) -> String {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

/// The address that the client used.
///
/// Behind the router the authority is `<id>.spin.internal`, and only then do `X-Forwarded-Host` and
/// `X-Forwarded-Proto` count: the router has overwritten whatever the client sent there.
pub(crate) fn public_url(head: &Parts) -> Url {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let own = head.uri.authority().map(|authority| authority.as_str());
    let (scheme, authority) = match is_inside(&head.uri) {
        true => (text("x-forwarded-proto"), text("x-forwarded-host")),
        false => (head.uri.scheme_str(), own.or_else(|| text("host"))),
    };
    let origin = format!(
        "{}://{}",
        scheme.unwrap_or("http"),
        authority.unwrap_or("localhost")
    );
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    Url::parse(&format!("{origin}{target}"))
        .or_else(|_| Url::parse(&format!("http://localhost{target}")))
        .unwrap_or_else(|_| Url::parse("http://localhost/").expect("a constant URL is valid"))
}

/// Tells whether a request came through the router.
pub(crate) fn is_inside(uri: &Uri) -> bool {
    uri.host()
        .is_some_and(|host| host.ends_with(".spin.internal"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;

    #[test]
    fn search_params_follow_the_url_standard() {
        let params = Request::get("/q?a=2&b=x+y%20z&a=1&&c&d=%ZZ&e=%FF").search_params();
        let pairs: Vec<_> = params.iter().collect();
        let expected = [
            ("a", "2"),
            ("b", "x y z"),
            ("a", "1"),
            ("c", ""),
            ("d", "%ZZ"),
            ("e", "\u{fffd}"),
        ];
        assert_eq!(pairs, expected);
        assert_eq!(params.get_all("a").collect::<Vec<_>>(), ["2", "1"]);
        assert!(params.has("c") && !params.has("f"));
    }

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

    #[test]
    fn bodies_are_read_once() {
        let req = Request::post("/", "\u{feff}{\"a\":1}");
        assert_eq!(block_on(req.json::<serde_json::Value>()).unwrap()["a"], 1);
        assert!(matches!(block_on(req.text()), Err(RequestError::BodyUsed)));
        let req = Request::post("/", &b"a\xff"[..]);
        assert_eq!(block_on(req.text()).unwrap(), "a\u{fffd}");
    }

    #[test]
    fn the_public_url() {
        let forwarded = |target: &str| {
            Request::get(target)
                .with_header("host", "direct.example:8080")
                .with_header("x-forwarded-host", "public.example")
                .with_header("x-forwarded-proto", "https")
        };
        let url = |req: Request| req.url().to_string();
        assert_eq!(
            url(forwarded("/a?b=%20")),
            "http://direct.example:8080/a?b=%20"
        );
        assert_eq!(
            url(forwarded("http://x.spin.internal/a")),
            "https://public.example/a"
        );
        assert_eq!(
            url(Request::get("/a").with_header("host", "a b")),
            "http://localhost/a"
        );
    }
}
