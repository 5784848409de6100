//! WASI 0.3: `wasi:http/handler`.

mod client;
mod incoming;

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, StatusCode};
pub use wasip3;
use wasip3::http::types::{ErrorCode, Fields, HeaderError, Request, Response, Trailers};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

use crate::after::Work;
use crate::message::connection::passed_on;
use crate::response::head::HeaderList;
use crate::run::delivery::{ChunkSink, Delivery, Disconnected, deliver};
use crate::run::origin::{Origin, log_error};
use crate::run::route::{Route, answer};
use crate::sys::log;
use crate::{After, Body, Signal};
pub(crate) use client::send;
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
            Some(refused) => refused(&answer.headers, error),
            None => ErrorCode::InternalError(None),
        })?;
    let status = response.status();
    let body = response.into_body();
    let respond = body.respond.unwrap_or(respond_at_once);
    let response = respond(body, headers, answer.after, answer.origin, signal);
    if status != StatusCode::OK {
        // Never an error: the SDK checked the status. A new response has 200.
        let _ = response.set_status_code(status.as_u16());
    }
    Ok(response)
}

/// Makes a response of a body and headers; the work for afterwards is done when the body is out.
pub(crate) type Respond = fn(Body, Fields, Option<After>, Option<Origin>, Signal) -> Response;

/// Creates a response with a body in memory.
///
/// If the client disconnects, writing the body fails. Waiting for the host's result of the response as well would not
/// report it earlier.
fn respond_at_once(
    body: Body,
    headers: Fields,
    after: Option<After>,
    _: Option<Origin>,
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
    origin: Option<Origin>,
    signal: Signal,
) -> Response {
    let (writer, reader) = wit_stream::new();
    let (ended, trailers) = wit_future::new(|| Err(ErrorCode::HttpResponseIncomplete));
    let (response, sent) = Response::new(headers, Some(reader), trailers);
    let sending: Work = Box::pin(async move {
        let writing = pin!(write(body, writer, ended, &signal, origin));
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

/// Does some work for which nobody waits. The host keeps the instance for it.
pub(crate) fn spawn(work: Work) {
    wasip3::spawn(work);
}

/// What says why the host refuses headers.
pub(crate) type Refused = fn(&HeaderList, HeaderError) -> ErrorCode;

/// Logs why the host refuses the headers of a response.
pub(crate) fn refused(headers: &HeaderList, error: HeaderError) -> ErrorCode {
    let why = refusal(headers, &error);
    log(&why);
    ErrorCode::InternalError(Some(why))
}

/// Explains which header the host refuses, and why.
fn refusal(headers: &HeaderList, error: &HeaderError) -> String {
    let why = match error {
        HeaderError::InvalidSyntax => "it is malformed",
        HeaderError::Forbidden => "only the host may set it",
        HeaderError::Immutable => "headers can't be changed",
        HeaderError::SizeExceeded => "it is too large",
        HeaderError::Other(why) => why.as_deref().unwrap_or_default(),
    };
    let is_refused = |header: &&(String, Vec<u8>)| Fields::from_list(&[(*header).clone()]).is_err();
    match headers.iter().find(is_refused) {
        Some((name, _)) => format!("the host refuses the header `{name}`: {why}"),
        None => format!("the host refuses the headers: {why}"),
    }
}

/// Sends the body until it ends, fails, or the client disconnects.
async fn write(
    body: Body,
    mut client: StreamWriter<u8>,
    ended: FutureWriter<Ended>,
    signal: &Signal,
    origin: Option<Origin>,
) {
    match deliver(body, &mut client, signal).await {
        Delivery::Complete(trailers) => {
            let trailers = trailers.and_then(|trailers| trailing(&trailers));
            drop(client);
            drop(ended.write(Ok(trailers)).await);
        }
        Delivery::Failed(error) => {
            log_error(
                format_args!("the body of the response failed: {error}"),
                origin.as_ref(),
            );
            let code = ErrorCode::InternalError(Some(error.to_string()));
            // Before the stream ends, because its end alone would look like that of a complete body.
            drop(ended.write(Err(code)).await);
        }
        Delivery::Disconnected => {}
    }
}

fn trailing(trailers: &HeaderMap) -> Option<Trailers> {
    let trailers = passed_on(trailers);
    Fields::from_list(&trailers)
        .map_err(|error| refused(&trailers, error))
        .ok()
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
