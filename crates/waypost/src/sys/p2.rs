//! WASI 0.2: `wasi:http/incoming-handler`, through `wstd`.

mod client;

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use wasip2::http::types::{
    ErrorCode, Fields, HeaderError, IncomingRequest, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};
pub use wstd::__internal::wasip2;
use wstd::io::AsyncOutputStream;

use crate::message::connection::passed_on;
use crate::run::background;
use crate::run::delivery::{ChunkSink, Delivery, Disconnected, deliver};
use crate::run::origin::log_error;
use crate::run::route::{Route, RouteResponse, answer};
use crate::sys::log;
use crate::{After, Body, Signal};

pub(crate) use client::send;

/// Answers a request. The body, and the work after it, are complete when this returns: WASI 0.2 runs nothing
/// afterwards.
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

async fn respond(mut answer: RouteResponse, outparam: ResponseOutparam, signal: &Signal) {
    let after = answer.after.take();
    send_answer(answer, outparam, signal).await;
    if let Some(work) = after.and_then(After::into_work) {
        work.await;
    }
    background::finish().await;
}

async fn send_answer(answer: RouteResponse, outparam: ResponseOutparam, signal: &Signal) {
    let response = answer.response;
    let headers = match fields(&answer.headers) {
        Ok(headers) => headers,
        Err(code) => return ResponseOutparam::set(outparam, Err(code)),
    };
    let head = OutgoingResponse::new(headers);
    // Never an error: the SDK checked the status, and the body is taken only here.
    let _ = head.set_status_code(response.status().as_u16());
    // The response to HEAD has the length of a body that it leaves out, which the host would miss at the end of one.
    let outgoing = (!response.body().is_empty()).then(|| head.body());
    ResponseOutparam::set(outparam, Ok(head));
    let Some(Ok(outgoing)) = outgoing else { return };
    // Dropping an unfinished body makes the host cut the connection.
    let Some(mut client) = writer(&outgoing) else {
        return;
    };
    let sent = deliver(response.into_body(), &mut client, signal).await;
    // The stream is a child of the body, and has to be dropped first.
    drop(client);
    match sent {
        Delivery::Complete(trailers) => finish(outgoing, trailers),
        Delivery::Failed(error) => log_error(
            format_args!("the body of the response failed: {error}"),
            answer.origin.as_ref(),
        ),
        Delivery::Disconnected => {}
    }
}

/// Creates the headers or trailers of a message.
fn fields(headers: &[(String, Vec<u8>)]) -> Result<Fields, ErrorCode> {
    Fields::from_list(headers).map_err(|error| {
        let why = refusal(headers, &error);
        log(&why);
        ErrorCode::InternalError(Some(why))
    })
}

/// Explains which header the host refuses.
fn refusal(headers: &[(String, Vec<u8>)], error: &HeaderError) -> String {
    let is_refused = |header: &&(String, Vec<u8>)| Fields::from_list(&[(*header).clone()]).is_err();
    match headers.iter().find(is_refused) {
        Some((name, _)) => format!("the host refuses the header `{name}`: {error}"),
        None => format!("the host refuses the headers: {error}"),
    }
}

/// Returns the stream of a body, or `None` if it was already taken.
fn writer(outgoing: &OutgoingBody) -> Option<AsyncOutputStream> {
    outgoing.write().ok().map(AsyncOutputStream::new)
}

impl ChunkSink for AsyncOutputStream {
    async fn accept(&mut self, chunk: Bytes) -> Result<(), Disconnected> {
        // Without a flush, hosts may hold chunks back.
        self.write_all(&chunk).await.map_err(|_| Disconnected)?;
        self.flush().await.map_err(|_| Disconnected)
    }
}

/// Finishes a body that was written completely.
fn finish(outgoing: OutgoingBody, trailers: Option<HeaderMap>) {
    let trailers = trailers.and_then(|trailers| fields(&passed_on(&trailers)).ok());
    // This fails if the length differs from `Content-Length`, and cuts the connection.
    if let Err(code) = OutgoingBody::finish(outgoing, trailers) {
        log(&format!("the body does not match its headers: {code}"));
    }
}

/// Waits for this duration.
pub(crate) async fn sleep(duration: Duration) {
    wstd::task::sleep(duration.into()).await;
}
