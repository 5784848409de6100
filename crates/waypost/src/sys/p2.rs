//! WASI 0.2: `wasi:http/incoming-handler`, through `wstd`.

mod client;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use wasip2::http::types::{
    ErrorCode, Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
pub use wstd::__internal::wasip2;
use wstd::io::AsyncOutputStream;

use crate::after::Finish;
use crate::delivery::{Gone, Sent, Taker, deliver};
use crate::head::Listed;
use crate::route::{Answer, Route, answer};
use crate::sys::log;
use crate::{Body, Response, Signal};

pub(crate) use client::send;

/// Answers a request, with the body, before it returns: in WASI 0.2 nothing goes on afterwards.
pub fn handle<R: Route>(request: IncomingRequest, response: ResponseOutparam) {
    wstd::runtime::block_on(async move {
        match wstd::http::request::try_from_incoming(request) {
            Ok(request) => {
                let request = request.map(|body| Body::from_http_body(body.into_boxed_body()));
                let signal = Signal::default();
                let answer = answer::<R>(request.into(), signal.clone()).await;
                respond(answer, response, &signal).await;
            }
            Err(error) => {
                let code = ErrorCode::InternalError(Some(error.to_string()));
                ResponseOutparam::set(response, Err(code));
            }
        }
    });
}

async fn respond(answer: Answer, outparam: ResponseOutparam, signal: &Signal) {
    send_answer(answer.response, &answer.headers, outparam, signal).await;
    if let Some(work) = answer.after.and_then(Finish::finish) {
        work.await;
    }
}

async fn send_answer(
    response: Response,
    headers: &[(String, Vec<u8>)],
    outparam: ResponseOutparam,
    signal: &Signal,
) {
    let headers = match fields(headers) {
        Ok(headers) => headers,
        Err(code) => return ResponseOutparam::set(outparam, Err(code)),
    };
    let head = OutgoingResponse::new(headers);
    // The SDK lets only valid codes through, and the body is taken only here.
    let _ = head.set_status_code(response.status().as_u16());
    let outgoing = head.body();
    ResponseOutparam::set(outparam, Ok(head));
    let Ok(outgoing) = outgoing else { return };
    // A body that is dropped unfinished tells the host to cut the connection.
    let Some(mut client) = writer(&outgoing) else {
        return;
    };
    let sent = deliver(response.into_body(), &mut client, signal).await;
    // The stream is a part of the body, and has to go first.
    drop(client);
    match sent {
        Sent::Whole(trailers) => finish(outgoing, trailers),
        Sent::Broken(error) => log(&format!("the body of the response failed: {error}")),
        Sent::Cut => {}
    }
}

/// Makes the headers or trailers of a message.
fn fields(headers: &[(String, Vec<u8>)]) -> Result<Fields, ErrorCode> {
    // The host refuses the headers of a connection; a handler that sets one made a mistake.
    Fields::from_list(headers).map_err(|error| {
        log(&format!("the host refuses a header: {error}"));
        ErrorCode::InternalError(Some(error.to_string()))
    })
}

fn listed(headers: &HeaderMap) -> Listed {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().map(line).collect()
}

/// Returns what the pieces of a body are written to. There is one for each body.
fn writer(outgoing: &OutgoingBody) -> Option<AsyncOutputStream> {
    outgoing.write().ok().map(AsyncOutputStream::new)
}

impl Taker for AsyncOutputStream {
    async fn take(&mut self, piece: Bytes) -> Result<(), Gone> {
        // Hosts may hold pieces back until they are told not to.
        self.write_all(&piece).await.map_err(|_| Gone)?;
        self.flush().await.map_err(|_| Gone)
    }
}

/// Ends a body that was written as a whole.
fn finish(outgoing: OutgoingBody, trailers: Option<HeaderMap>) {
    let trailers = trailers.and_then(|trailers| fields(&listed(&trailers)).ok());
    // It fails where the length is not the one that was announced, which cuts the connection.
    if let Err(code) = OutgoingBody::finish(outgoing, trailers) {
        log(&format!("the body is not what was announced: {code}"));
    }
}

/// Waits.
pub(crate) async fn sleep(duration: Duration) {
    wstd::task::sleep(duration.into()).await;
}
