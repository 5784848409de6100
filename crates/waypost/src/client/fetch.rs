//! Building and sending a request: [`fetch`].

use std::future::IntoFuture;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::future::{Either, select};
use http::header::{self, HeaderMap};
use http::{Method, StatusCode, Uri};
use serde::Serialize;

use super::address::Address;
use super::caching::Caching;
use super::{FetchError, outgoing};
use crate::message::header_value::parse_header;
use crate::response::IntoHeaderValue;
use crate::{Body, Response, sys, time};

/// The number of redirects that a fetch follows (Fetch standard, section 4.4 "HTTP-redirect fetch").
const REDIRECTS: usize = 20;

/// Starts a GET of this URL. The returned [`Fetch`] can be changed before it is awaited, which sends it.
///
/// A component may reach the hosts that `allowed_outbound_hosts` in `spin.toml` grants it. A path such as `/items/a`
/// goes to the app itself, on hosts that support it (Spin and Waypost's own, with `http://self` granted).
///
/// # Examples
///
/// ```no_run
/// use waypost::{Result, fetch};
///
/// async fn get() -> Result {
///     let posts: Vec<String> = fetch("https://api.example.com/posts").await?.into_json().await?;
///     waypost::Response::json(&posts)
/// }
/// ```
pub fn fetch(url: impl AsRef<str>) -> Fetch {
    Fetch {
        url: url.as_ref().to_owned(),
        method: Method::GET,
        headers: HeaderMap::new(),
        body: Body::empty(),
        timeout: None,
        redirect: RedirectPolicy::Follow,
        fault: None,
        caching: None,
    }
}

/// A request that is being built. Awaiting it sends it.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use waypost::{Result, fetch};
///
/// async fn post() -> Result {
///     // The response is streamed to the client.
///     Ok(fetch("https://api.example.com/items")
///         .method("POST")
///         .header("authorization", "Bearer 7f3a")
///         .json(&["a", "b"])
///         .timeout(Duration::from_secs(3))
///         .await?)
/// }
/// ```
#[must_use = "a fetch is sent when it is awaited"]
pub struct Fetch {
    pub(super) url: String,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    timeout: Option<Duration>,
    pub(super) redirect: RedirectPolicy,
    pub(super) fault: Option<FetchError>,
    /// Whether the response is cached. In a box with a function pointer, so that a component whose fetches are not cached does
    /// not contain the code.
    pub(super) caching: Option<Box<Caching>>,
}

/// How a fetch handles a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedirectPolicy {
    /// Follows up to 20 redirects.
    #[default]
    Follow,
    /// Returns the redirect as the response.
    Manual,
    /// Returns [`FetchError::Redirect`].
    Error,
}

impl Fetch {
    /// Sets the method: text, or a [`Method`].
    pub fn method(mut self, method: impl AsRef<str>) -> Self {
        let name = method.as_ref();
        match Method::from_bytes(name.as_bytes()) {
            Ok(method) => self.method = method,
            Err(error) => {
                let why = format!("the method `{}`: {error}", name.escape_default());
                self.fault = Some(FetchError::Request(why));
            }
        }
        self
    }

    /// Sets a header, and replaces any values that it had.
    ///
    /// Some headers are `fetch`'s own affair, and are left out, so that the headers of a request can be copied as they
    /// are: `Host`, `Expect`, headers of the connection and all that `Connection` lists, headers that WASI lets a host
    /// forbid (such as `Proxy-Authorization`), and `spin-*` and `x-waypost-*`, in which a host describes its own
    /// request. `Content-Length` follows from the body; it counts only for a stream whose length is not known otherwise.
    pub fn header(mut self, name: impl AsRef<str>, value: impl IntoHeaderValue) -> Self {
        match parse_header(name.as_ref(), value) {
            Ok((name, value)) => drop(self.headers.insert(name, value)),
            Err(error) => self.fault = Some(FetchError::Request(error)),
        }
        self
    }

    /// Adds a value to a header, and keeps the values that it has; otherwise like [`Fetch::header`].
    pub fn append_header(mut self, name: impl AsRef<str>, value: impl IntoHeaderValue) -> Self {
        match parse_header(name.as_ref(), value) {
            Ok((name, value)) => drop(self.headers.append(name, value)),
            Err(error) => self.fault = Some(FetchError::Request(error)),
        }
        self
    }

    /// Sets all of these headers, each with all of its values; otherwise like [`Fetch::header`].
    ///
    /// # Examples
    ///
    /// A gateway, which passes a request on and returns the response:
    ///
    /// ```no_run
    /// use waypost::{Request, Result, fetch};
    ///
    /// async fn any(req: Request) -> Result {
    ///     let reply = fetch("https://backend.example.com/")
    ///         .method(req.method())
    ///         .headers(req.headers())
    ///         .body(req.body())
    ///         .await?;
    ///     Ok(reply)
    /// }
    /// ```
    pub fn headers(mut self, headers: &HeaderMap) -> Self {
        // This replaces the values of a name by the first new one, and adds the others to it.
        self.headers.extend(headers.clone());
        self
    }

    /// Sets the body. If it has a media type and no `Content-Type` is set yet, it sets that too.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        match self.body.media_type().map(str::to_owned) {
            Some(media_type) if !self.headers.contains_key(header::CONTENT_TYPE) => {
                self.header(header::CONTENT_TYPE, media_type)
            }
            _ => self,
        }
    }

    /// Sets the body to a value as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.body(Body::from(json).of_type("application/json")),
            Err(error) => {
                self.fault = Some(FetchError::Request(error.to_string()));
                self
            }
        }
    }

    /// Limits the time until the head of the response arrives, redirects included. Without it only the limits of the
    /// host apply.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how a redirect is handled.
    pub fn redirect(mut self, policy: RedirectPolicy) -> Self {
        self.redirect = policy;
        self
    }

    /// Sends the request, and returns the response as soon as its head arrives. Its body is a stream.
    ///
    /// # Errors
    ///
    /// [`FetchError`] if there is no response. A response with a status such as 404 is not an error.
    pub async fn send(mut self) -> Result<Response, FetchError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        match self.caching.take() {
            Some(caching) => (caching.send)(self, caching).await,
            None => self.send_to_network().await,
        }
    }

    /// Sends the request, whatever is cached.
    pub(super) async fn send_to_network(self) -> Result<Response, FetchError> {
        let Some(timeout) = self.timeout else {
            return self.follow().await;
        };
        match select(pin!(self.follow()), pin!(time::sleep(timeout))).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(FetchError::Timeout),
        }
    }

    async fn follow(mut self) -> Result<Response, FetchError> {
        let mut address = Address::parse(&self.url)?;
        for _ in 0..=REDIRECTS {
            let again = self.body.copy();
            let (uri, body) = (address.target()?, std::mem::take(&mut self.body));
            let response = self.once(uri, body).await?;
            let Some(location) = location(&response) else {
                return Ok(response);
            };
            match self.redirect {
                RedirectPolicy::Manual => return Ok(response),
                RedirectPolicy::Error => return Err(FetchError::Redirect),
                RedirectPolicy::Follow => {}
            }
            let next = address.join(&location)?;
            if !next.has_origin_of(&address) {
                self.headers.remove(header::AUTHORIZATION);
                self.headers.remove(header::COOKIE);
            }
            self.repeat(response.status(), again)?;
            address = next;
        }
        Err(FetchError::Redirect)
    }

    async fn once(&self, uri: Uri, body: Body) -> Result<Response, FetchError> {
        let (body, failure) = outgoing::watched(body);
        let request = outgoing::request(&self.method, uri, &self.headers, body).await?;
        match sys::send(request).await {
            Ok(response) => Ok(outgoing::received(&self.method, response).into()),
            // The connection was cut because the body failed.
            Err(FetchError::Connection(why)) => Err(match failure.take() {
                Some(why) => FetchError::Request(format!("its body failed: {why}")),
                None => FetchError::Connection(why),
            }),
            Err(error) => Err(error),
        }
    }

    /// Changes this into the request that follows a redirect (Fetch standard, "HTTP-redirect fetch").
    fn repeat(&mut self, status: StatusCode, body: Option<Body>) -> Result<(), FetchError> {
        let becomes_get = match status.as_u16() {
            303 => !matches!(self.method, Method::GET | Method::HEAD),
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.headers.remove(header::CONTENT_TYPE);
            self.headers.remove(header::CONTENT_ENCODING);
            self.headers.remove(header::CONTENT_LANGUAGE);
        } else {
            self.body = body.ok_or(FetchError::Redirect)?;
        }
        Ok(())
    }
}

impl IntoFuture for Fetch {
    type Output = Result<Response, FetchError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

fn location(response: &Response) -> Option<String> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response
        .headers()
        .get(header::LOCATION)
        .filter(|_| redirects)?;
    location.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::Request;
    use crate::test::{self, block_on};

    async fn answers(request: Request) -> Response {
        let to = |location: &str, status: u16| {
            Response::new(())
                .with_status(status)
                .with_header("location", location)
        };
        match request.uri().path() {
            "/loop" => to("/loop", 302),
            "/see-other" => to("/echo", 303),
            "/keep" => to("http://other.example/echo", 307),
            "/inwards" => to("http://self.invalid/echo", 307),
            "/echo" => {
                let secret = request.header("authorization").unwrap_or("none");
                let line = format!("{} {} {secret} ", request.method(), request.uri());
                Response::new(line + &request.text().await.unwrap())
            }
            _ => Response::new("?").with_status(404),
        }
    }

    fn text(fetch: Fetch) -> Result<String, FetchError> {
        test::with_network(answers, || {
            let response = block_on(fetch.send())?;
            Ok(format!(
                "{} {}",
                response.status().as_u16(),
                block_on(response.text()).unwrap()
            ))
        })
    }

    fn post(url: &str) -> Fetch {
        fetch(url)
            .method("POST")
            .header("authorization", "s")
            .body("b")
    }

    #[test]
    fn redirects_are_followed_as_the_fetch_standard_says() {
        for (fetch, expected) in [
            (post("/echo"), "200 POST /echo s b"),
            (
                post("http://a.example/see-other"),
                "200 GET http://a.example/echo s ",
            ),
            (
                post("http://a.example/keep"),
                "200 POST http://other.example/echo none b",
            ),
            (post("/see-other"), "200 GET /echo s "),
            (fetch("http://a.example/none#f"), "404 ?"),
            (
                fetch("http://a.example/inwards"),
                "200 GET http://self.invalid/echo none ",
            ),
            (fetch("/keep").redirect(RedirectPolicy::Manual), "307 "),
        ] {
            assert_eq!(text(fetch).unwrap(), expected);
        }
    }

    #[test]
    fn several_values_of_a_header() {
        let lines = |fetch: Fetch| {
            let answers = async |request: Request| {
                let lines = request.headers().get_all("x-a").iter();
                let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
                Response::new(lines.join(" "))
            };
            let response = test::with_network(answers, || block_on(fetch.send()).unwrap());
            block_on(response.text()).unwrap()
        };
        let mut copied = HeaderMap::new();
        copied.append("x-a", HeaderValue::from_static("3"));
        copied.append("x-a", HeaderValue::from_static("4"));
        let one = || fetch("/").header("x-a", "1");
        assert_eq!(lines(one().append_header("x-a", "2")), "1 2");
        assert_eq!(lines(one().headers(&copied)), "3 4");
        assert_eq!(lines(one().header("x-a", "2")), "2");
    }

    #[test]
    fn an_error_names_the_header_or_the_method() {
        for (fetch, name) in [
            (fetch("/").header("x-name", "\0"), "`x-name`"),
            (fetch("/").append_header("x-name", "\0"), "`x-name`"),
            (fetch("/").header("x name", "1"), "`x name`"),
            (fetch("/").append_header("x\nname", "1"), "`x\\nname`"),
            (fetch("/").method("a b"), "`a b`"),
        ] {
            let error = text(fetch).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn compressed_json_of_an_upstream_is_decoded() {
        use std::io::Write;
        let answers = async |_| {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(b"[1, 2]").unwrap();
            Response::new(encoder.finish().unwrap()).with_header("content-encoding", "gzip")
        };
        let fetched = || test::with_network(answers, || block_on(fetch("/").send()).unwrap());
        assert_eq!(block_on(fetched().into_json::<Vec<u8>>()).unwrap(), [1, 2]);
        assert!(
            block_on(fetched().bytes())
                .unwrap()
                .starts_with(&[0x1f, 0x8b])
        );
        let passed_on = http::Response::<Body>::from(fetched());
        assert_eq!(passed_on.headers()["content-encoding"], "gzip");
    }

    #[cfg(all(feature = "brotli", feature = "zstd"))]
    #[test]
    fn json_in_brotli_and_zstd_is_decoded() {
        for (coding, body) in [
            ("br", &b"\x8b\x02\x80[1, 2]\x03"[..]),
            (
                "zstd",
                b"\x28\xb5\x2f\xfd\x04\x58\x31\0\0[1, 2]\xa9\x20\x1d\xcd",
            ),
        ] {
            let respond = move || Response::new(body).with_header("content-encoding", coding);
            let answers = move |_| std::future::ready(respond());
            let fetched = test::with_network(answers, || block_on(fetch("/").send()).unwrap());
            assert_eq!(block_on(fetched.into_json::<Vec<u8>>()).unwrap(), [1, 2]);
        }
    }

    #[test]
    fn an_invalid_response_of_an_upstream_is_a_500() {
        let answers = async |_| Response::new("no JSON");
        let error = test::with_network(answers, || {
            block_on(async { fetch("/").await?.into_json::<u32>().await }).unwrap_err()
        });
        assert_eq!(crate::Error::from(error).status(), 500);
    }

    #[test]
    fn fetches_that_fail() {
        let streamed = fetch("/keep").method("PUT").body(Body::from_iter(["a"]));
        for (fetch, error) in [
            (fetch("/loop"), FetchError::Redirect),
            (
                fetch("/loop").redirect(RedirectPolicy::Error),
                FetchError::Redirect,
            ),
            (streamed, FetchError::Redirect),
        ] {
            assert_eq!(text(fetch).unwrap_err(), error);
        }
        for url in [
            "",
            "nonsense",
            "ftp://a.example/",
            "//a.example/",
            "http://",
        ] {
            assert!(
                matches!(text(fetch(url)), Err(FetchError::Request(_))),
                "{url}"
            );
        }
        assert!(matches!(
            text(fetch("/").method("a b")),
            Err(FetchError::Request(_))
        ));
        assert!(matches!(
            text(fetch("/").header("a", "\0")),
            Err(FetchError::Request(_))
        ));
    }
}
