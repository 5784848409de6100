//! WASI 0.3: `wasi:http/handler`.

mod incoming;

use std::future::pending;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use futures::poll;
pub use wasip3;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, HeaderError, Request, Response, Trailers};
use wasip3::http_compat::{http_from_wasi_response, http_into_wasi_request};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

use crate::delivery::{Gone, Sent, Taker, deliver};
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
    let (head, body) = answer.response.into_parts();
    let headers = fields(&head.headers)?;
    if body.is_empty() {
        let trailers = wit_future::new(|| Ok(None)).1;
        if !answer.after.is_empty() {
            wasip3::spawn(answer.after.finish());
        }
        return Ok(with_status(
            Response::new(headers, None, trailers).0,
            head.status,
        ));
    }
    let (writer, reader) = wit_stream::new();
    let (ended, trailers) = wit_future::new(|| Err(ErrorCode::HttpResponseIncomplete));
    let (response, sent) = Response::new(headers, Some(reader), trailers);
    wasip3::spawn(async move {
        let writing = pin!(write(body, writer, ended, &signal));
        if let Either::Right(_) = select(writing, pin!(gone(sent))).await {
            signal.abort();
        }
        answer.after.finish().await;
    });
    Ok(with_status(response, head.status))
}

/// Runs a handler to its end, and tells it when its client goes away. One that has its answer at once is not
/// kept by asking.
async fn watched<T>(handler: impl Future<Output = T>, signal: &Signal) -> T {
    let mut handler = pin!(handler);
    if let Poll::Ready(answer) = poll!(handler.as_mut()) {
        return answer;
    }
    match select(handler, pin!(client_left())).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), handler)) => {
            signal.abort();
            handler.await
        }
    }
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

fn with_status(response: Response, status: http::StatusCode) -> Response {
    // The SDK lets only valid codes through.
    let _ = response.set_status_code(status.as_u16());
    response
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

fn fields(headers: &http::HeaderMap) -> Result<Fields, ErrorCode> {
    let list: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    // The host refuses the headers of a connection; a handler that sets one made a mistake.
    Fields::from_list(&list).map_err(|error| {
        let why = match error {
            HeaderError::InvalidSyntax => "it is malformed".to_owned(),
            HeaderError::Forbidden => "it is the host's own".to_owned(),
            HeaderError::Immutable => "headers can't be changed".to_owned(),
            HeaderError::SizeExceeded => "it is too large".to_owned(),
            HeaderError::Other(why) => why.unwrap_or_default(),
        };
        let why = format!("the host refuses a header of the response: {why}");
        log(&format!("error: {why}"));
        ErrorCode::InternalError(Some(why))
    })
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
            let trailers = trailers.and_then(|trailers| fields(&trailers).ok());
            drop(client);
            drop(ended.write(Ok(trailers)).await);
        }
        Sent::Broken(error) => {
            log(&format!("error: the body of the response failed: {error}"));
            let code = ErrorCode::InternalError(Some(error.to_string()));
            // Told before the stream ends, which would look like the end of a whole body.
            drop(ended.write(Err(code)).await);
        }
        Sent::Cut => {}
    }
}

impl Taker for StreamWriter<u8> {
    async fn take(&mut self, piece: Bytes) -> Result<(), Gone> {
        let unsent = self.write_all(piece.into()).await;
        if unsent.is_empty() { Ok(()) } else { Err(Gone) }
    }
}
