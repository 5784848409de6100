//! Testing handlers with `cargo test`: natively, without a host.
//!
//! A handler is a function: build a request, call it, check the response. [`call`] goes through the whole route
//! instead: path, method, arguments and cookies.
//!
//! # Examples
//!
//! ```
//! use waypost::{Request, test};
//!
//! async fn get(req: Request) -> String {
//!     format!("hello {}", req.header("x-name").unwrap_or("you"))
//! }
//!
//! waypost::export!("/hello": get);
//!
//! # fn main() {
//! let response = test::call::<route::Route>(Request::get("/hello").with_header("x-name", "Ada"));
//! assert_eq!(response.status(), 200);
//! assert_eq!(test::text(response), "hello Ada");
//! # }
//! ```

#[cfg(not(target_arch = "wasm32"))]
use bytes::Bytes;
#[cfg(not(target_arch = "wasm32"))]
use http::{HeaderValue, Method};
use serde::de::DeserializeOwned;
#[cfg(not(target_arch = "wasm32"))]
use waypost_cache::{internal::X_WAYPOST_FILL, revalidation::X_WAYPOST_REVALIDATE};

#[cfg(not(target_arch = "wasm32"))]
pub use crate::testing::cache::{CachedValue, TestCache};
#[cfg(not(target_arch = "wasm32"))]
use crate::{
    After, Request, Signal,
    cookies::Cookies,
    extract::DRAFT_COOKIE,
    run::background,
    run::delivery::{ChunkSink, Delivery, Disconnected, deliver},
    run::route::{Route, answer},
    sys::Incoming,
    testing::cache,
};
use crate::{Body, Response};

/// Answers a request like the component of this route, and runs its [`After`](crate::After) work. `export!` defines
/// the type `route::Route`.
#[cfg(not(target_arch = "wasm32"))]
pub fn call<R: Route>(request: Request) -> Response {
    let head = *request.method() == Method::HEAD;
    block_on(async {
        cache::calling(request.uri().path(), R::pattern());
        let answer = answer::<R>(incoming(request), Signal::default()).await;
        cache::apply(&answer.headers);
        finish(answer.after).await;
        let status = answer.response.status();
        let mut response = http::Response::builder().status(status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        let body = match head {
            true => Body::empty(),
            false => http::Response::from(answer.response).into_body(),
        };
        #[expect(
            clippy::expect_used,
            reason = "the route checked its status and headers"
        )]
        let response = response.body(body).expect("the response is valid");
        response.into()
    })
}

/// Answers a request of a client that disconnects after this number of chunks of the body, and returns those chunks.
///
/// The [`Signal`] fires, the body is dropped, and then the [`After`](crate::After) work runs. A client that accepts
/// the last chunk does not disconnect.
///
/// # Panics
///
/// If the body is a stream that fails before that.
///
/// # Examples
///
/// ```
/// use waypost::{After, Body, Request, Signal, test};
///
/// async fn get(after: After, signal: Signal) -> Body {
///     after.run(async move { assert!(signal.is_aborted()) });
///     Body::from_iter(["a", "long", "stream"])
/// }
///
/// waypost::export!("/stream": get);
///
/// # fn main() {
/// let chunks = test::call_and_leave::<route::Route>(Request::get("/stream"), 1);
/// assert_eq!(chunks, ["a"]);
/// # }
/// ```
#[cfg(not(target_arch = "wasm32"))]
pub fn call_and_leave<R: Route>(request: Request, chunks: usize) -> Vec<Bytes> {
    block_on(async {
        let signal = Signal::default();
        let answer = answer::<R>(incoming(request), signal.clone()).await;
        let mut client = Client::accepting(chunks);
        let body = http::Response::from(answer.response).into_body();
        if let Delivery::Failed(error) = deliver(body, &mut client, &signal).await {
            panic!("the body failed: {error}");
        }
        finish(answer.after).await;
        client.accepted
    })
}

#[cfg(not(target_arch = "wasm32"))]
async fn finish(after: Option<After>) {
    if let Some(work) = after.and_then(After::into_work) {
        work.await;
    }
    background::finish().await;
}

/// Creates the request as a host with a cache sends it.
#[cfg(not(target_arch = "wasm32"))]
fn incoming(request: Request) -> Incoming {
    let mut request = http::Request::from(request);
    let is_draft = Cookies::of(request.headers()).has(DRAFT_COOKIE);
    let set = HeaderValue::from_static("1");
    let headers = request.headers_mut();
    headers.insert(X_WAYPOST_REVALIDATE, set.clone());
    if !is_draft {
        headers.insert(X_WAYPOST_FILL, set);
    }
    request.into()
}

#[cfg(not(target_arch = "wasm32"))]
/// A client that accepts this number of chunks of a body.
pub(crate) struct Client {
    /// The chunks that it accepted.
    pub(crate) accepted: Vec<Bytes>,
    chunks: usize,
}

#[cfg(not(target_arch = "wasm32"))]
impl Client {
    pub(crate) fn accepting(chunks: usize) -> Self {
        Self {
            accepted: Vec::new(),
            chunks,
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl ChunkSink for Client {
    async fn accept(&mut self, chunk: Bytes) -> Result<(), Disconnected> {
        if self.accepted.len() == self.chunks {
            return Err(Disconnected);
        }
        self.accepted.push(chunk);
        Ok(())
    }
}

/// Answers each [`fetch`](crate::fetch) with `answers` while `work` runs on this thread. Without it, a fetch in a
/// test fails.
///
/// # Examples
///
/// ```
/// use waypost::{Response, fetch, test};
///
/// let status = test::with_network(
///     async |request| Response::new(format!("you asked {}", request.uri())),
///     || test::block_on(fetch("http://example.com/").send()).unwrap().status(),
/// );
/// assert_eq!(status, 200);
/// ```
#[cfg(not(target_arch = "wasm32"))]
pub fn with_network<T, F>(answers: impl Fn(Request) -> F + 'static, work: impl FnOnce() -> T) -> T
where
    F: Future<Output = Response> + 'static,
{
    crate::sys::with_network(answers, work)
}

/// Gives handlers an empty data cache while `work` runs on this thread, as Waypost's host does. Without it, nothing is cached,
/// and each value is made anew.
///
/// It keeps what [`Cache::get_or`](crate::Cache::get_or), functions with the attribute [`cached`](macro@crate::cached) and
/// cached fetches store, and [`call`] applies what a handler revalidates. It does not keep the responses of routes. Its clock
/// stands, until the test advances it.
///
/// # Examples
///
/// ```
/// use waypost::cache::CacheOptions;
/// use waypost::{Cache, Request, Result, test};
///
/// async fn titles() -> Result<String> {
///     Ok("three posts".to_owned())
/// }
///
/// async fn get(cache: Cache) -> Result<String> {
///     let options = CacheOptions::new().revalidate(60).tags(["posts"]);
///     cache.get_or("titles", options, titles()).await
/// }
///
/// async fn post(cache: Cache) -> Result<()> {
///     Ok(cache.expire_tag("posts")?)
/// }
///
/// waypost::export!("/posts": get, post);
///
/// # fn main() {
/// test::with_cache(|cache| {
///     let first = test::call::<route::Route>(Request::get("/posts"));
///     assert_eq!(test::text(first), "three posts");
///     assert_eq!(cache.values()[0].name, "\"titles\"");
///     test::call::<route::Route>(Request::post("/posts", ""));
///     assert_eq!(cache.revalidated(), ["tag:posts (expired)"]);
/// });
/// # }
/// ```
#[cfg(not(target_arch = "wasm32"))]
pub fn with_cache<T>(work: impl FnOnce(&TestCache) -> T) -> T {
    cache::with_cache(work)
}

/// Grants key-value stores, initially empty, while `work` runs on this thread. Without it, no store can be opened, as
/// in a component without that grant.
///
/// # Examples
///
/// ```
/// use waypost::{Request, Result, key_value::Store, test};
///
/// async fn post(text: String) -> Result<()> {
///     Ok(Store::open("notes").await?.set("last", text).await?)
/// }
///
/// waypost::export!("/notes": post);
///
/// # fn main() {
/// test::with_stores(["notes"], || {
///     let response = test::call::<route::Route>(Request::post("/notes", "tea"));
///     assert_eq!(response.status(), 200);
///     let last = test::block_on(async { Store::open("notes").await?.get("last").await });
///     assert_eq!(last.unwrap().unwrap(), b"tea");
/// });
/// # }
/// ```
#[cfg(all(feature = "spin", not(target_arch = "wasm32")))]
pub fn with_stores<T>(
    labels: impl IntoIterator<Item: Into<String>>,
    work: impl FnOnce() -> T,
) -> T {
    crate::key_value::with_stores(labels.into_iter().map(Into::into), work)
}

/// Sets the variables of the app, only these, while `work` runs on this thread.
///
/// # Examples
///
/// ```
/// use waypost::{test, variables};
///
/// let key = test::with_variables([("api_key", "7f3a")], || test::block_on(variables::get("api_key")));
/// assert_eq!(key.unwrap(), "7f3a");
/// ```
#[cfg(all(feature = "spin", not(target_arch = "wasm32")))]
pub fn with_variables<T, N, V>(
    variables: impl IntoIterator<Item = (N, V)>,
    work: impl FnOnce() -> T,
) -> T
where
    N: Into<String>,
    V: Into<String>,
{
    let variables = variables.into_iter();
    crate::variables::with_variables(
        variables.map(|(name, value)| (name.into(), value.into())),
        work,
    )
}

/// Runs a future to its end on this thread, and what it left to do after the response.
pub fn block_on<F: Future>(future: F) -> F::Output {
    futures::executor::block_on(async {
        let output = future.await;
        #[cfg(not(target_arch = "wasm32"))]
        background::finish().await;
        output
    })
}

/// Reads the body of a response as text.
///
/// # Panics
///
/// If the body is a stream that fails, or larger than 10 MiB.
pub fn text(response: Response) -> String {
    let response = http::Response::<Body>::from(response);
    let bytes = block_on(response.into_body().bytes(crate::body::DEFAULT_BODY_LIMIT));
    #[expect(clippy::expect_used, reason = "documented under \"Panics\"")]
    let bytes = bytes.expect("the body can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads the body of a response as JSON.
///
/// # Panics
///
/// If the body is not JSON or not a `T`; otherwise like [`text`].
///
/// # Examples
///
/// ```
/// use waypost::{Response, test};
///
/// let response = Response::json(&["a", "b"]).unwrap();
/// assert_eq!(test::json::<Vec<String>>(response), ["a", "b"]);
/// ```
pub fn json<T: DeserializeOwned>(response: Response) -> T {
    let text = text(response);
    match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(error) => panic!("the body is not the expected JSON: {error}: {text}"),
    }
}
