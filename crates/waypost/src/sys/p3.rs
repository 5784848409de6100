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

use crate::after::{Finish, Work};
use crate::delivery::{Gone, Sent, Taker, deliver};
use crate::head::Listed;
use crate::route::{Route, answer};
use crate::send_body::SendBody;
use crate::sys::{destination, log};
use crate::{Body, FetchError, Signal};
pub(crate) use incoming::Incoming;

/// The control character by which the host says that the client went away.
const CANCEL: u8 = 0x18;

type Ended = Result<Option<Trailers>, ErrorCode>;

/// Answers a request; the body of the response follows while this component goes on.
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
        // The SDK lets only valid codes through. A new response has 200.
        let _ = response.set_status_code(status.as_u16());
    }
    Ok(response)
}

/// Makes a response of a body and headers; the work for afterwards is done when the body is out.
pub(crate) type Respond = fn(Body, Fields, Option<Box<dyn Finish>>, Signal) -> Response;

/// Answers with a body that is in memory.
///
/// Whether the client is still there shows in whether it takes the body. What the host says of the response is not
/// listened to: it would be heard no earlier.
fn respond_at_once(
    body: Body,
    headers: Fields,
    after: Option<Box<dyn Finish>>,
    signal: Signal,
) -> Response {
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
            if let Some(work) = after.and_then(Finish::finish) {
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
    // That there are no trailers is what it says of itself.
    drop(ended);
}

fn behind(sending: Work, after: Option<Box<dyn Finish>>) -> Work {
    match after {
        Some(after) => after.behind(sending),
        None => sending,
    }
}

/// Answers with a body that is a stream, and drops it when the client goes away, though nothing may have come of it
/// for long.
pub(crate) fn respond_with_stream(
    body: Body,
    headers: Fields,
    after: Option<Box<dyn Finish>>,
    signal: Signal,
) -> Response {
    let (writer, reader) = wit_stream::new();
    let (ended, trailers) = wit_future::new(|| Err(ErrorCode::HttpResponseIncomplete));
    let (response, sent) = Response::new(headers, Some(reader), trailers);
    let sending: Work = Box::pin(async move {
        let writing = pin!(write(body, writer, ended, &signal));
        // One of them speaks on Waypost's host, the other on hosts that know no more than WASI HTTP.
        let (left, gone) = (pin!(client_left()), pin!(gone(sent)));
        if let Either::Right(_) = select(writing, select(left, gone)).await {
            signal.abort();
        }
    });
    wasip3::spawn(behind(sending, after));
    response
}

/// Runs a handler to its end, and tells it when its client goes away. One that has its answer at once is not
/// kept by asking.
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

/// What waits until the client goes away.
pub(crate) type Leaving = Pin<Box<dyn Future<Output = ()>>>;

/// Begins to wait until the client goes away.
pub(crate) fn leaving() -> Leaving {
    Box::pin(client_left())
}

/// Waits until the host says that the client went away; for ever, if it says nothing.
///
/// WASI HTTP has no word for it. Waypost's host writes one to the input of the program (`wasi:cli/stdin`),
/// which has nothing to read on other hosts.
async fn client_left() {
    let (mut input, _end) = wasip3::cli::stdin::read_via_stream();
    let heard = input.read(Vec::with_capacity(1)).await.1;
    if heard != [CANCEL] {
        pending::<()>().await;
    }
}

/// Waits until the host says that the response can't be sent on; for ever, if it was sent.
async fn gone(sent: FutureReader<Result<(), ErrorCode>>) {
    if sent.await.is_ok() {
        pending::<()>().await;
    }
}

/// Waits.
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

/// Says why the host refuses headers: a handler that sets one of a connection, say, made a mistake.
pub(crate) fn refused(error: HeaderError) -> ErrorCode {
    let why = match &error {
        HeaderError::InvalidSyntax => "it is malformed",
        HeaderError::Forbidden => "it is the host's own",
        HeaderError::Immutable => "headers can't be changed",
        HeaderError::SizeExceeded => "it is too large",
        HeaderError::Other(why) => why.as_deref().unwrap_or_default(),
    };
    let why = format!("the host refuses a header of the response: {why}");
    log(&why);
    ErrorCode::InternalError(Some(why))
}

/// Sends the body until its end, its failure, or until the client goes away.
async fn write(
    body: Body,
    mut client: StreamWriter<u8>,
    ended: FutureWriter<Ended>,
    signal: &Signal,
) {
    match deliver(body, &mut client, signal).await {
        Sent::Whole(trailers) => {
            let trailers = trailers.and_then(|trailers| trailing(&trailers));
            drop(client);
            drop(ended.write(Ok(trailers)).await);
        }
        Sent::Broken(error) => {
            log(&format!("the body of the response failed: {error}"));
            let code = ErrorCode::InternalError(Some(error.to_string()));
            // Told before the stream ends, which would look like the end of a whole body.
            drop(ended.write(Err(code)).await);
        }
        Sent::Cut => {}
    }
}

fn trailing(trailers: &HeaderMap) -> Option<Trailers> {
    let fields = Fields::from_list(&listed(trailers));
    fields.map_err(refused).ok()
}

fn listed(headers: &HeaderMap) -> Listed {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().map(line).collect()
}

impl Taker for StreamWriter<u8> {
    async fn take(&mut self, piece: Bytes) -> Result<(), Gone> {
        let unsent = self.write_all(piece.into()).await;
        if unsent.is_empty() { Ok(()) } else { Err(Gone) }
    }
}
