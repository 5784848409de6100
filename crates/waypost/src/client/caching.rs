//! Fetches whose responses are cached, like [`fetch`](https://nextjs.org/docs/app/api-reference/functions/fetch) in Next.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode};
use waypost_cache::Life;
use waypost_cache::data::MAX_FETCHED;
use waypost_cache::life::MAX_LIFE;

use super::address::Address;
use super::{Fetch, FetchError, RedirectPolicy, outgoing};
use crate::body::Frame;
use crate::cache::Seconds;
use crate::data::client::{Found, Lease, find};
use crate::data::scope::Scope;
use crate::data::{Entry, Kind};
use crate::{Body, Response, sys};

/// How the response of a fetch is cached.
pub(super) struct Caching {
    pub(super) send: SendCached,
    /// `None` if the response is not cached.
    life: Option<Life>,
    tags: Vec<String>,
}

/// Returns the cached response, or sends the request.
type SendCached = fn(Fetch, Box<Caching>) -> Pin<Box<dyn Future<Output = Sent>>>;

type Sent = Result<Response, FetchError>;

/// Headers that say something about one request, and nothing about its response. They are not in the key.
const OF_ONE_REQUEST: [&str; 3] = ["traceparent", "tracestate", "x-request-id"];

impl Fetch {
    /// Caches the response, like `cache: "force-cache"` in Next: until one of its tags, or the path of the route, is
    /// revalidated. A fetch is not cached by default.
    ///
    /// The host keeps the response for this version of this component. The key is the URL, the method and all headers but
    /// those for tracing, so a request with another `authorization` or `cookie` never gets this response. `Set-Cookie` is
    /// removed.
    ///
    /// Only a GET or HEAD is cached, and only a 200 with a body of at most 2 MiB, which is read before this returns. Other
    /// responses are returned as they are. On a host without a data cache, and in draft mode, each fetch is sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::{Response, fetch, test};
    ///
    /// let answers = async |_| Response::new("three posts");
    /// test::with_cache(|cache| {
    ///     let send = || test::block_on(fetch("https://api.example.com/posts").force_cache().tags(["posts"]).send());
    ///     assert!(test::with_network(answers, send).is_ok());
    ///     assert_eq!(cache.values()[0].name, "GET https://api.example.com/posts");
    ///     // Without the network.
    ///     assert_eq!(test::text(send().unwrap()), "three posts");
    /// });
    /// ```
    pub fn force_cache(self) -> Self {
        self.with_life(Some(Life::default()))
    }

    /// Caches the response for this time, in seconds or as a [`Duration`], like `next: { revalidate: 60 }`; otherwise like
    /// [`Fetch::force_cache`]. After that it is returned once more, and the request is sent after the response of the handler.
    /// Less than a second is [`Fetch::no_store`].
    pub fn revalidate(self, time: impl Seconds) -> Self {
        let time = Duration::from_secs(time.seconds()).min(MAX_LIFE);
        self.with_life(Life::new(Some(time), None).ok())
    }

    /// Does not cache the response, like `cache: "no-store"`. This is the default.
    pub fn no_store(self) -> Self {
        self.with_life(None)
    }

    /// Adds tags, by which [`Cache`](crate::Cache) revalidates the response if it is cached, like `next: { tags }`. They alone
    /// do not cache it.
    pub fn tags(mut self, tags: impl IntoIterator<Item: Into<String>>) -> Self {
        let tags = tags.into_iter().map(Into::into);
        self.caching().tags.extend(tags);
        self
    }

    fn with_life(mut self, life: Option<Life>) -> Self {
        self.caching().life = life;
        self
    }

    fn caching(&mut self) -> &mut Caching {
        self.caching.get_or_insert_with(|| {
            Box::new(Caching {
                send: |fetch, caching| Box::pin(send(fetch, caching)),
                life: None,
                tags: Vec::new(),
            })
        })
    }
}

/// Returns the cached response, or sends the request.
async fn send(fetch: Fetch, caching: Box<Caching>) -> Sent {
    let is_safe = matches!(fetch.method, Method::GET | Method::HEAD) && fetch.body.is_empty();
    let Some(life) = caching.life.filter(|_| is_safe) else {
        return fetch.send_to_network().await;
    };
    let entry = Entry {
        key: key(&fetch)?,
        tags: caching.tags,
        life,
    };
    match find(&entry).await {
        Found::Nothing(None) => fetch.send_to_network().await.map(without_cookies),
        Found::Nothing(Some(lease)) => fill(lease, &entry, fetch).await,
        Found::Value(value, lease) => match decode(value) {
            Some(response) => {
                let response = outgoing::received(&fetch.method, response);
                if let Some(lease) = lease {
                    sys::spawn(Box::pin(refresh(lease, entry, fetch)));
                }
                Ok(response.into())
            }
            None => fetch.send_to_network().await.map(without_cookies),
        },
    }
}

async fn refresh(lease: Lease, entry: Entry, fetch: Fetch) {
    let url = fetch.url.clone();
    if let Err(error) = fill(lease, &entry, fetch).await {
        sys::log(&format!(
            "the cached response of `{url}` is not refreshed: {error}"
        ));
    }
}

/// Sends the request, and stores the response if it may be stored.
async fn fill(lease: Lease, entry: &Entry, fetch: Fetch) -> Sent {
    let scope = Scope::new(entry);
    let response = match scope.run(fetch.send_to_network()).await {
        Ok(response) => without_cookies(response),
        Err(error) => {
            lease.give_back().await;
            return Err(error);
        }
    };
    let is_large = |length| length > MAX_FETCHED as u64;
    let is_too_large = response.body().content_length().is_some_and(is_large);
    if response.status() != StatusCode::OK || is_too_large {
        lease.give_back().await;
        return Ok(response);
    }
    let (head, body) = http::Response::<Body>::from(response).into_parts();
    let body = match whole(body).await {
        Ok(body) => {
            let value = encode(&head.headers, &body);
            lease.store(value, scope.finish()).await;
            Body::from(body)
        }
        Err(body) => {
            lease.give_back().await;
            body
        }
    };
    Ok(http::Response::from_parts(head, body).into())
}

/// The response may be sent to other clients, of whom none is to get the cookies of another.
fn without_cookies(response: Response) -> Response {
    let mut response = http::Response::<Body>::from(response);
    response.headers_mut().remove(SET_COOKIE);
    response.into()
}

/// Reads a body of at most [`MAX_FETCHED`] bytes.
///
/// # Errors
///
/// Returns the body with what was read of it, if it is larger or fails.
async fn whole(mut body: Body) -> Result<Bytes, Body> {
    let announced = body.content_length();
    let mut read = BytesMut::new();
    loop {
        match body.next().await {
            None => return Ok(read.freeze()),
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            Some(Err(error)) => {
                let frames = [Ok(Frame::Data(read.freeze())), Err(error.into())];
                return Err(Body::from_frames(stream::iter(frames)));
            }
        }
        if read.len() > MAX_FETCHED {
            let mut body = body.behind(Frame::Data(read.freeze()));
            body.announce(announced);
            return Err(body);
        }
    }
}

/// Writes the key of a request: all of it that may decide about the response.
fn key(fetch: &Fetch) -> Result<Vec<u8>, FetchError> {
    let target = Address::parse(&fetch.url)?.target()?;
    let redirect = match fetch.redirect {
        RedirectPolicy::Follow => "",
        RedirectPolicy::Manual => " manual",
        RedirectPolicy::Error => " error",
    };
    let mut key = vec![Kind::Fetch as u8];
    key.extend(format!("{} {target}{redirect}\n", fetch.method).bytes());
    let mut names: Vec<_> = fetch.headers.keys().map(HeaderName::as_str).collect();
    names.retain(|name| !OF_ONE_REQUEST.contains(name));
    names.sort_unstable();
    for name in names {
        for value in fetch.headers.get_all(name) {
            push_line(&mut key, name, value);
        }
    }
    Ok(key)
}

/// Writes the headers and the body of a response as a value.
fn encode(headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    for (name, line) in headers {
        push_line(&mut value, name.as_str(), line);
    }
    value.push(b'\n');
    value.extend(body);
    value
}

/// Appends a header. Neither a name nor a value has a line feed.
fn push_line(out: &mut Vec<u8>, name: &str, value: &HeaderValue) {
    out.extend(name.bytes());
    out.push(b':');
    out.extend(value.as_bytes());
    out.push(b'\n');
}

/// Reads a value from [`encode`], or returns `None` if it is none.
fn decode(mut value: Bytes) -> Option<http::Response<Body>> {
    let mut response = http::Response::new(Body::empty());
    loop {
        let end = value.iter().position(|byte| *byte == b'\n')?;
        let line = value.split_to(end);
        // The line feed.
        let _ = value.split_to(1);
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
        let text = HeaderValue::from_bytes(line.get(colon + 1..)?).ok()?;
        response.headers_mut().append(name, text);
    }
    *response.body_mut() = Body::from(value);
    Some(response)
}
