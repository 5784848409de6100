//! WASI 0.3: `wasi:http/handler`.

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream;
use http_body::Body as _;
pub use wasip3;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Trailers};
use wasip3::http_compat::{
    IncomingBody, IncomingMessage, http_from_wasi_request, http_from_wasi_response,
    http_into_wasi_request,
};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

use crate::body::{BoxError, Frame};
use crate::route::{Route, answer};
use crate::{Body, FetchError};

type Ended = Result<Option<Trailers>, ErrorCode>;

/// Answers a request; the body of the response follows while this component goes on.
pub async fn handle<R: Route>(request: Request) -> Result<Response, ErrorCode> {
    let request = http_from_wasi_request(request)?.map(incoming);
    let answer = answer::<R>(request).await;
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
        let gone = pin!(gone(sent));
        if let Either::Right(_) | Either::Left((Sent::Cut, _)) =
            select(pin!(write(body, writer, ended)), gone).await
        {
            answer.signal.abort();
        }
        answer.after.finish().await;
    });
    Ok(with_status(response, head.status))
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
pub(crate) async fn send(request: http::Request<Body>) -> Result<http::Response<Body>, FetchError> {
    let origin = request
        .uri()
        .authority()
        .map_or_else(|| "self".to_owned(), |a| a.to_string());
    let request = http_into_wasi_request(request.map(Outgoing)).map_err(|e| failed(e, &origin))?;
    let response = client::send(request)
        .await
        .map_err(|code| failed(code, &origin))?;
    let response = http_from_wasi_response(response).map_err(|code| failed(code, &origin))?;
    Ok(response.map(incoming))
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

/// The body of a request that goes out.
struct Outgoing(Body);

impl http_body::Body for Outgoing {
    type Data = bytes::Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, BoxError>>> {
        self.0.poll_next_frame(cx).map(|frame| {
            frame.map(|frame| {
                frame.map(|frame| match frame {
                    Frame::Data(data) => http_body::Frame::data(data),
                    Frame::Trailers(trailers) => http_body::Frame::trailers(trailers),
                })
            })
        })
    }
}

fn fields(headers: &http::HeaderMap) -> Result<Fields, ErrorCode> {
    let list: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    // The host refuses the headers of a connection; a handler that sets one made a mistake.
    Fields::from_list(&list).map_err(|error| {
        eprintln!("error: the host refuses a header of the response: {error}");
        ErrorCode::InternalError(Some(error.to_string()))
    })
}

/// The body of a request or response: read from the host only when the handler reads it.
fn incoming<M: IncomingMessage + 'static>(body: IncomingBody<M>) -> Body {
    let frames = stream::unfold(body, |mut body| async move {
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await?;
        let frame = frame.map_err(|code| BoxError::from(code.to_string()));
        Some((frame.map(data_or_trailers), body))
    });
    Body::from_frames(frames)
}

fn data_or_trailers(frame: http_body::Frame<bytes::Bytes>) -> Frame {
    match frame.into_data() {
        Ok(data) => Frame::Data(data),
        Err(frame) => Frame::Trailers(frame.into_trailers().unwrap_or_default()),
    }
}

/// How the sending of a body ended.
enum Sent {
    /// With its last byte, or with a failure of its own.
    Whole,
    /// The client went away.
    Cut,
}

/// Sends the body until its end, its failure, or until the client goes away.
async fn write(mut body: Body, mut writer: StreamWriter<u8>, ended: FutureWriter<Ended>) -> Sent {
    let mut trailers = None;
    while let Some(frame) = poll_fn(|cx| body.poll_next_frame(cx)).await {
        match frame {
            Ok(Frame::Data(data)) => {
                let unsent = writer.write_all(data.into()).await;
                if !unsent.is_empty() {
                    return Sent::Cut;
                }
            }
            Ok(Frame::Trailers(headers)) => trailers = fields(&headers).ok(),
            Err(error) => {
                eprintln!("error: the body of the response failed: {error}");
                let code = ErrorCode::InternalError(Some(error.to_string()));
                drop(ended.write(Err(code)).await);
                return Sent::Whole;
            }
        }
    }
    drop(writer);
    drop(ended.write(Ok(trailers)).await);
    Sent::Whole
}
