//! WASI 0.3: `wasi:http/handler`.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream;
use http_body::Body as _;
pub use wasip3;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Trailers};
use wasip3::http_compat::{
    IncomingBody, IncomingMessage, http_from_wasi_request, http_from_wasi_response,
    http_into_wasi_request,
};
use wasip3::wit_bindgen::{FutureWriter, StreamWriter};
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
    let (contents, trailers) = match body.is_empty() {
        true => {
            if !answer.after.is_empty() {
                wasip3::spawn(answer.after.finish());
            }
            (None, wit_future::new(|| Ok(None)).1)
        }
        false => {
            let (writer, reader) = wit_stream::new();
            let (ended, trailers) = wit_future::new(|| Err(ErrorCode::HttpResponseIncomplete));
            wasip3::spawn(async move {
                write(body, writer, ended).await;
                answer.after.finish().await;
            });
            (Some(reader), trailers)
        }
    };
    let (response, _sent) = Response::new(headers, contents, trailers);
    // The SDK lets only valid codes through.
    let _ = response.set_status_code(head.status.as_u16());
    Ok(response)
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

/// Sends the body until its end, its failure, or until the client goes away.
async fn write(mut body: Body, mut writer: StreamWriter<u8>, ended: FutureWriter<Ended>) {
    let mut trailers = None;
    while let Some(frame) = poll_fn(|cx| body.poll_next_frame(cx)).await {
        match frame {
            Ok(Frame::Data(data)) => {
                let unsent = writer.write_all(data.into()).await;
                if !unsent.is_empty() {
                    return;
                }
            }
            Ok(Frame::Trailers(headers)) => trailers = fields(&headers).ok(),
            Err(error) => {
                eprintln!("error: the body of the response failed: {error}");
                let code = ErrorCode::InternalError(Some(error.to_string()));
                drop(ended.write(Err(code)).await);
                return;
            }
        }
    }
    drop(writer);
    drop(ended.write(Ok(trailers)).await);
}
