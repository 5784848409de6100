//! WASI 0.2: `wasi:http/incoming-handler`, through `wstd`.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body::Body as _;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
pub use wstd::__internal::wasip2;
use wstd::io::AsyncOutputStream;

use crate::body::{BoxError, Frame};
use crate::route::{Route, answer};
use crate::{Body, FetchError, Signal};

/// Answers a request, with the body, before it returns: in WASI 0.2 nothing goes on afterwards.
pub fn handle<R: Route>(request: IncomingRequest, response: ResponseOutparam) {
    wstd::runtime::block_on(async move {
        match wstd::http::request::try_from_incoming(request) {
            Ok(request) => {
                let answer = answer::<R>(request.map(incoming)).await;
                respond(answer.response, response, &answer.signal).await;
                if !answer.after.is_empty() {
                    answer.after.finish().await;
                }
            }
            Err(error) => {
                let code = ErrorCode::InternalError(Some(error.to_string()));
                ResponseOutparam::set(response, Err(code));
            }
        }
    });
}

async fn respond(response: http::Response<Body>, outparam: ResponseOutparam, signal: &Signal) {
    let (head, body) = response.into_parts();
    let headers = match fields(&head.headers) {
        Ok(headers) => headers,
        Err(code) => return ResponseOutparam::set(outparam, Err(code)),
    };
    let response = OutgoingResponse::new(headers);
    // The SDK lets only valid codes through, and the body is taken only here.
    let _ = response.set_status_code(head.status.as_u16());
    let outgoing = response.body();
    ResponseOutparam::set(outparam, Ok(response));
    let Ok(outgoing) = outgoing else { return };
    match write(body, &outgoing, signal).await {
        Ok(trailers) => drop(OutgoingBody::finish(outgoing, trailers)),
        // A body that is dropped unfinished tells the host to cut the connection.
        Err(error) => eprintln!("error: the body of the response failed: {error}"),
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

/// Sends the body until its end, its failure, or until the client goes away.
async fn write(
    mut body: Body,
    outgoing: &OutgoingBody,
    signal: &Signal,
) -> Result<Option<Fields>, BoxError> {
    let mut trailers = None;
    let stream = outgoing
        .write()
        .map_err(|()| "the body was already written")?;
    let stream = AsyncOutputStream::new(stream);
    while let Some(frame) = poll_fn(|cx| body.poll_next_frame(cx)).await {
        match frame? {
            Frame::Data(data) => stream
                .write_all(&data)
                .await
                .inspect_err(|_| signal.abort())?,
            Frame::Trailers(headers) => trailers = fields(&headers).ok(),
        }
    }
    Ok(trailers)
}

/// Waits.
pub(crate) async fn sleep(duration: Duration) {
    wstd::task::sleep(duration.into()).await;
}

/// Sends a request, and waits for the head of the response. The body of the request is sent first.
pub(crate) async fn send(request: http::Request<Body>) -> Result<http::Response<Body>, FetchError> {
    let origin = request
        .uri()
        .authority()
        .map_or_else(|| "self".to_owned(), |a| a.to_string());
    let (head, body) = request.into_parts();
    // `wstd` wants a body that may change threads; one in memory is one.
    let body = body.bytes(usize::MAX).await;
    let body = body.map_err(|error| FetchError::Request(error.to_string()))?;
    let request = http::Request::from_parts(head, wstd::http::Body::from(body));
    match wstd::http::Client::new().send(request).await {
        Ok(response) => Ok(response.map(incoming)),
        Err(error) => Err(match error.downcast_ref::<ErrorCode>() {
            Some(ErrorCode::HttpRequestDenied) => FetchError::Denied(origin),
            Some(ErrorCode::ConnectionTimeout | ErrorCode::HttpResponseTimeout) => {
                FetchError::Timeout
            }
            _ => FetchError::Connection(error.to_string()),
        }),
    }
}

/// The body of a request or response.
fn incoming(body: wstd::http::Body) -> Body {
    let frames = stream::unfold(body.into_boxed_body(), |mut body| async move {
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await?;
        let frame = frame.map_err(|error| BoxError::from(error.to_string()));
        Some((frame.map(data_or_trailers), body))
    });
    Body::from_frames(frames)
}

fn data_or_trailers(frame: http_body::Frame<Bytes>) -> Frame {
    match frame.into_data() {
        Ok(data) => Frame::Data(data),
        Err(frame) => Frame::Trailers(frame.into_trailers().unwrap_or_default()),
    }
}
