//! WASI 0.3: `wasi:http/handler`.

mod incoming;

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
pub use wasip3;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, HeaderError, Request, Response, Trailers};
use wasip3::http_compat::{http_from_wasi_response, http_into_wasi_request};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

use crate::after::Work;
use crate::body::http_body::SendBody;
use crate::client::FetchError;
use crate::response::head::HeaderList;
use crate::run::delivery::{ChunkSink, Delivery, Disconnected, deliver};
use crate::run::route::{Route, answer};
use crate::sys::{destination, log};
use crate::{After, Body, Signal};
pub(crate) use incoming::Incoming;

/// The control character that the host sends when the client disconnects.
const CANCEL: u8 = 0x18;

type Ended = Result<Option<Trailers>, ErrorCode>;

/// Answers a request. The body of the response is sent by a task that runs on after this returns.
pub async fn handle<R: Route>(request: Request) -> Result<Response, ErrorCode> {
    let signal = Signal::default();
    let answer = watched(answer::<R>(Incoming::new(request), signal.clone()), &signal).await;
    let response = answer.response;
    let headers =
        Fields::from_list(&answer.headers).map_err(|error| match response.head().refused() {
            Some(refused) => refused(error),
            None => ErrorCode::InternalError(None),
        })?;
    let status = response.status();
    let body = response.into_body();
    let respond = body.respond.unwrap_or(respond_at_once);
    let response = respond(body, headers, answer.after, signal);
    if status != StatusCode::OK {
        // Never an error: the SDK checked the status. A new response has 200.
        let _ = response.set_status_code(status.as_u16());
    }
    Ok(response)
}

/// Makes a response of a body and headers; the work for afterwards is done when the body is out.
pub(crate) type Respond = fn(Body, Fields, Option<After>, Signal) -> Response;

/// Creates a response with a body in memory.
///
/// If the client disconnects, writing the body fails. Waiting for the host's result of the response as well would not
/// report it earlier.
fn respond_at_once(body: Body, headers: Fields, after: Option<After>, signal: Signal) -> Response {
    let body = body.into_content();
    let (writer, reader) = match body.is_empty() {
        true => (None, None),
        false => {
            let (writer, reader) = wit_stream::new();
            (Some(writer), Some(reader))
        }
    };
    let (ended, trailers) = wit_future::new(|| Ok(None));
    let response = Response::new(headers, reader, trailers).0;
    match writer {
        Some(writer) => {
            let sending: Work = Box::pin(send_whole(body, writer, ended, signal));
            wasip3::spawn(behind(sending, after));
        }
        None => {
            if let Some(work) = after.and_then(After::into_work) {
                wasip3::spawn(work);
            }
        }
    }
    response
}

async fn send_whole(
    body: Vec<u8>,
    mut client: StreamWriter<u8>,
    ended: FutureWriter<Ended>,
    signal: Signal,
) {
    if !client.write_all(body).await.is_empty() {
        signal.abort();
    }
    drop(client);
    // Dropping it sends its default: no trailers.
    drop(ended);
}

fn behind(sending: Work, after: Option<After>) -> Work {
    match after {
        Some(after) => after.after(sending),
        None => sending,
    }
}

/// Creates a response with a streamed body, which is dropped when the client disconnects, also while the stream is
/// silent.
pub(crate) fn respond_with_stream(
    body: Body,
    headers: Fields,
    after: Option<After>,
    signal: Signal,
) -> Response {
    let (writer, reader) = wit_stream::new();
    let (ended, trailers) = wit_future::new(|| Err(ErrorCode::HttpResponseIncomplete));
    let (response, sent) = Response::new(headers, Some(reader), trailers);
    let sending: Work = Box::pin(async move {
        let writing = pin!(write(body, writer, ended, &signal));
        // Waypost's host completes the first, hosts with plain WASI HTTP the second.
        let (left, gone) = (pin!(client_left()), pin!(gone(sent)));
        if let Either::Right(_) = select(writing, select(left, gone)).await {
            signal.abort();
        }
    });
    wasip3::spawn(behind(sending, after));
    response
}

/// Runs a handler to its end, and fires its signal when the client disconnects. A handler that is ready at once does
/// not wait for the host.
async fn watched<T>(handler: impl Future<Output = T>, signal: &Signal) -> T {
    let mut handler = pin!(handler);
    let answer = poll_fn(|cx| {
        loop {
            if let Poll::Ready(answer) = handler.as_mut().poll(cx) {
                return Poll::Ready(answer);
            }
            if !signal.has_left(cx) {
                return Poll::Pending;
            }
            signal.abort();
        }
    });
    let answer = answer.await;
    signal.stop();
    answer
}

/// A future that waits until the client disconnects.
pub(crate) type Leaving = Pin<Box<dyn Future<Output = ()>>>;

/// Starts waiting until the client disconnects.
pub(crate) fn leaving() -> Leaving {
    Box::pin(client_left())
}

/// Waits until the host reports that the client disconnected; forever if it never does.
///
/// WASI HTTP can't express it. Waypost's host writes a control character to `wasi:cli/stdin`, which is empty on other
/// hosts.
async fn client_left() {
    let (mut input, _end) = wasip3::cli::stdin::read_via_stream();
    let heard = input.read(Vec::with_capacity(1)).await.1;
    if heard != [CANCEL] {
        pending::<()>().await;
    }
}

/// Waits until the host reports that the response could not be sent; forever if it was sent.
async fn gone(sent: FutureReader<Result<(), ErrorCode>>) {
    if sent.await.is_ok() {
        pending::<()>().await;
    }
}

/// Waits for this duration.
pub(crate) async fn sleep(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
}

/// Sends a request, and waits for the head of the response.
pub(crate) async fn send(
    mut request: http::Request<Body>,
) -> Result<http::Response<Body>, FetchError> {
    let origin = destination::resolve(request.uri_mut());
    let request =
        http_into_wasi_request(request.map(SendBody::from)).map_err(|e| failed(e, &origin))?;
    let response = client::send(request)
        .await
        .map_err(|code| failed(code, &origin))?;
    let response = http_from_wasi_response(response).map_err(|code| failed(code, &origin))?;
    Ok(response.map(Body::from_http_body))
}

fn failed(code: ErrorCode, origin: &str) -> FetchError {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
            FetchError::Denied(origin.to_owned())
        }
        ErrorCode::ConnectionTimeout
        | ErrorCode::HttpResponseTimeout
        | ErrorCode::DnsTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout => FetchError::Timeout,
        code => FetchError::Connection(code.to_string()),
    }
}

/// What says why the host refuses headers.
pub(crate) type Refused = fn(HeaderError) -> ErrorCode;

/// Logs why the host refuses the headers, such as a connection header that a handler set.
pub(crate) fn refused(error: HeaderError) -> ErrorCode {
    let why = match &error {
        HeaderError::InvalidSyntax => "it is malformed",
        HeaderError::Forbidden => "only the host may set it",
        HeaderError::Immutable => "headers can't be changed",
        HeaderError::SizeExceeded => "it is too large",
        HeaderError::Other(why) => why.as_deref().unwrap_or_default(),
    };
    let why = format!("the host refuses a header of the response: {why}");
    log(&why);
    ErrorCode::InternalError(Some(why))
}

/// Sends the body until it ends, fails, or the client disconnects.
async fn write(
    body: Body,
    mut client: StreamWriter<u8>,
    ended: FutureWriter<Ended>,
    signal: &Signal,
) {
    match deliver(body, &mut client, signal).await {
        Delivery::Complete(trailers) => {
            let trailers = trailers.and_then(|trailers| trailing(&trailers));
            drop(client);
            drop(ended.write(Ok(trailers)).await);
        }
        Delivery::Failed(error) => {
            log(&format!("the body of the response failed: {error}"));
            let code = ErrorCode::InternalError(Some(error.to_string()));
            // Before the stream ends, because its end alone would look like that of a complete body.
            drop(ended.write(Err(code)).await);
        }
        Delivery::Disconnected => {}
    }
}

fn trailing(trailers: &HeaderMap) -> Option<Trailers> {
    let fields = Fields::from_list(&listed(trailers));
    fields.map_err(refused).ok()
}

fn listed(headers: &HeaderMap) -> HeaderList {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().map(line).collect()
}

impl ChunkSink for StreamWriter<u8> {
    async fn accept(&mut self, chunk: Bytes) -> Result<(), Disconnected> {
        let unsent = self.write_all(chunk.into()).await;
        if unsent.is_empty() {
            Ok(())
        } else {
            Err(Disconnected)
        }
    }
}
