//! The response cache in a component: what the pure part needs of WASI, and the way of a request through it.

use std::cell::OnceCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

use wasip3::clocks::{monotonic_clock, system_clock};
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme, Trailers};
use wasip3::random::random::get_random_u64;
use wasip3::wit_bindgen::rt::async_support::{FutureReader, StreamReader, StreamResult};
use wasip3::{wit_future, wit_stream};

use crate::cache::{Body, CachedRoutes, KeyValue, Platform, Reply, ResponseCache, Stream};
use crate::fields::lower;
use crate::forwarding::is_never_passed_on;
use crate::{Answer, Headers};
use waypost_cache::internal::DRAFT_SECRET;

/// The most bytes of a body that are read at once.
const PIECE: usize = 64 * 1024;

/// The clock, random values and log of WASI, and a store.
pub(super) struct Wasi<S>(pub(super) S);

/// A handler's response.
pub(super) type Answered = Reply<Unread>;

/// The body of a response, unread.
pub(super) struct Unread {
    bytes: StreamReader<u8>,
    trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
}

impl<S: KeyValue + 'static> Platform for Wasi<S> {
    type Store = S;

    fn store(&self) -> &S {
        &self.0
    }

    fn now(&self) -> Duration {
        let now = system_clock::now();
        let seconds = u64::try_from(now.seconds).unwrap_or_default();
        Duration::new(seconds, now.nanoseconds)
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for half in bytes.chunks_exact_mut(8) {
            half.copy_from_slice(&get_random_u64().to_le_bytes());
        }
        bytes
    }

    async fn sleep(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        monotonic_clock::wait_for(nanoseconds).await;
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        wasip3::spawn(work);
    }

    #[expect(clippy::print_stderr, reason = "stderr is the log of a component")]
    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

/// Makes the cache of this instance, or `None` if a table is not valid, which the log says.
#[expect(clippy::print_stderr, reason = "stderr is the log of a component")]
pub(super) fn new<S: KeyValue + 'static>(
    store: S,
    routes: Result<CachedRoutes, impl Display>,
) -> Option<Rc<ResponseCache<Wasi<S>>>> {
    let routes = routes
        .inspect_err(|error| eprintln!("error: {error}"))
        .ok()?;
    let secret = std::env::var(DRAFT_SECRET).ok();
    Some(Rc::new(ResponseCache::new(Wasi(store), routes, secret)))
}

/// The caches of an instance: one, made by its first request.
pub(super) type Instance<S> = OnceCell<Option<Rc<ResponseCache<Wasi<S>>>>>;

/// Takes a response of a handler apart.
pub(super) fn answered(response: Response) -> Answered {
    let status = response.get_status_code();
    let headers = response.get_headers().copy_all();
    let (_, result) = wit_future::new(|| Ok(()));
    let (bytes, trailers) = Response::consume_body(response, result);
    Reply {
        status,
        headers,
        body: Body::Stream(Unread { bytes, trailers }),
    }
}

/// Makes the WASI response of a reply.
///
/// # Errors
///
/// If a header is not valid.
pub(super) fn response(reply: Answered) -> Result<Response, ErrorCode> {
    let Reply {
        status,
        mut headers,
        body,
    } = reply;
    // A handler may have passed on what another server sent, and the host would refuse the whole list.
    headers.retain(|(name, _)| !is_never_passed_on(&lower(name)));
    let (contents, trailers) = match body {
        Body::Whole(bytes) => whole(bytes),
        Body::Stream(Unread { bytes, trailers }) => (Some(bytes), trailers),
    };
    let fields = fields(&headers)?;
    let (response, _sent) = Response::new(fields, contents, trailers);
    response
        .set_status_code(status)
        .map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
}

/// Finishes the response of a handler that ran for one request alone: applies what it revalidates, and removes internal headers.
/// With a reason, the request bypasses the cache, and no other cache may keep the response.
///
/// # Errors
///
/// If a header is not valid.
pub(super) async fn passed<S: KeyValue + 'static>(
    cache: &ResponseCache<Wasi<S>>,
    passed: Response,
    reason: Option<String>,
) -> Result<Response, ErrorCode> {
    let mut headers = passed.get_headers().copy_all();
    let is_changed = cache.apply(&mut headers).await;
    if let Some(reason) = &reason {
        ResponseCache::<Wasi<S>>::bypassed(&mut headers, reason);
    } else if !is_changed {
        return Ok(passed);
    }
    response(Reply {
        headers,
        ..answered(passed)
    })
}

type Contents = (
    Option<StreamReader<u8>>,
    FutureReader<Result<Option<Trailers>, ErrorCode>>,
);

fn whole(bytes: Vec<u8>) -> Contents {
    let (ended, trailers) = wit_future::new(|| Ok(None));
    let contents = (!bytes.is_empty()).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wasip3::spawn(async move {
            // An error means that the client went away, and nobody needs the rest.
            drop(writer.write_all(bytes).await);
            drop(writer);
            drop(ended);
        });
        reader
    });
    (contents, trailers)
}

/// Makes the fields of a message.
///
/// # Errors
///
/// If a header is not valid.
pub(super) fn fields(headers: &Headers) -> Result<Fields, ErrorCode> {
    Fields::from_list(headers).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

impl Stream for Unread {
    async fn read(self, length: usize) -> Option<Vec<u8>> {
        let Self {
            bytes: mut stream,
            trailers,
        } = self;
        let mut body = Vec::with_capacity(length);
        loop {
            let (result, piece) = stream.read(Vec::with_capacity(PIECE)).await;
            body.extend(piece);
            if body.len() > length {
                return None;
            }
            if !matches!(result, StreamResult::Complete(_)) {
                break;
            }
        }
        drop(stream);
        let is_whole = body.len() == length && matches!(trailers.await, Ok(None));
        is_whole.then_some(body)
    }
}

/// Makes a GET request without a body.
///
/// # Errors
///
/// If a part of it is not valid.
pub(super) fn request(
    headers: &Headers,
    scheme: &Scheme,
    authority: Option<&str>,
    target: &str,
) -> Result<Request, ErrorCode> {
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    let (ended, trailers) = wit_future::new(|| Ok(None));
    drop(ended);
    let (request, _sent) = Request::new(fields(headers)?, None, trailers, None);
    request.set_scheme(Some(scheme)).map_err(refused)?;
    request.set_authority(authority).map_err(refused)?;
    request.set_path_with_query(Some(target)).map_err(refused)?;
    Ok(request)
}

/// Makes the reply of a response that the router sends itself.
pub(super) fn error(answer: Answer) -> Answered {
    let headers = answer.headers.into_iter();
    let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes()));
    let mut headers: Headers = headers.collect();
    let length = answer.body.len().to_string().into_bytes();
    headers.push(("content-length".to_owned(), length));
    Reply {
        status: answer.status,
        headers,
        body: Body::Whole(answer.body.into_bytes()),
    }
}
