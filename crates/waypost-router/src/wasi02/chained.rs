//! Handlers are reached by in-memory HTTP calls: on Spin and on Waypost's host.

use std::pin::pin;

use futures::future::{Either, select};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingRequest, IncomingResponse,
    OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme,
};
use wstd::io::{AsyncInputStream, AsyncOutputStream};
use wstd::runtime::{AsyncPollable, block_on};

use super::{Inbound, fail, new_id, respond};
use crate::instance::{failed, trusted_headers};
use crate::{Answer, Destination, Forwarding, Headers};

/// Answers a request, or sends it on to its handler and passes on what that answers, body and trailers, before
/// it returns: in WASI 0.2 nothing goes on afterwards.
pub fn handle(routes: &str, request: IncomingRequest, response: ResponseOutparam) {
    match Chain::to_handler(routes, &request) {
        Ok(chain) => block_on(chain.run(&request, response)),
        Err(answer) => respond(answer, response),
    }
}

/// How much of a body is passed on at once.
const PIECE: usize = 16 * 1024;

/// A request on its way to its handler.
struct Chain {
    id: String,
    destination: &'static Destination,
    response: FutureIncomingResponse,
    /// Where the body of the request goes.
    body: OutgoingBody,
}

impl Chain {
    /// Sends the head of the request; an `Err` is what the router answers by itself.
    fn to_handler(routes: &str, request: &IncomingRequest) -> Result<Self, Answer> {
        let mut inbound = Inbound::of(request);
        let destination = inbound.destination(routes)?;
        let scheme = match request.scheme() {
            Some(Scheme::Https) => "https",
            _ => "http",
        };
        let authority = request.authority();
        let forwarding = Forwarding {
            scheme,
            authority: authority
                .as_deref()
                .filter(|authority| !authority.is_empty()),
            new_id: &new_id,
            trusted: trusted_headers(),
        };
        let headers = std::mem::take(&mut inbound.headers);
        let forwarded = forwarding.apply(headers).map_err(Answer::bad_request)?;
        let sent = inside_request(&inbound, destination, &forwarded.headers)
            .and_then(|(request, body)| Ok((outgoing_handler::handle(request, None)?, body)));
        match sent {
            Ok((response, body)) => Ok(Self {
                id: forwarded.id,
                destination,
                response,
                body,
            }),
            Err(code) => Err(failed(&forwarded.id, destination, code)),
        }
    }

    /// Passes the body of the request on, and the response back, side by side.
    async fn run(self, request: &IncomingRequest, outparam: ResponseOutparam) {
        let (id, destination, response) = (self.id, self.destination, self.response);
        let sending = pin!(async {
            // A handler need not read the body: then this fails, and the response counts.
            if let Ok(body) = request.consume() {
                let _ = pass(body, self.body).await;
            }
        });
        let answering = pin!(async {
            match received(response).await {
                Ok(response) => pass_response(response, &id, outparam).await,
                Err(code) => respond(failed(&id, destination, code), outparam),
            }
        });
        if let Either::Left((_, answering)) = select(sending, answering).await {
            answering.await;
        }
    }
}

/// Makes the request that the handler gets, and the place where its body goes.
fn inside_request(
    inbound: &Inbound,
    destination: &Destination,
    headers: &Headers,
) -> Result<(OutgoingRequest, OutgoingBody), ErrorCode> {
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    let headers = Fields::from_list(headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let inside = OutgoingRequest::new(headers);
    inside
        .set_method(&inbound.method)
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    inside.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    inside
        .set_authority(Some(&destination.authority()))
        .map_err(refused)?;
    inside
        .set_path_with_query(Some(&inbound.target))
        .map_err(refused)?;
    let body = inside.body().map_err(|()| ErrorCode::InternalError(None))?;
    Ok((inside, body))
}

/// Waits for the head of the response.
async fn received(response: FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    AsyncPollable::new(response.subscribe()).wait_for().await;
    match response.get() {
        Some(Ok(received)) => received,
        // It is ready, and nobody else takes it.
        Some(Err(())) | None => Err(ErrorCode::InternalError(None)),
    }
}

/// Gives the client what the handler answers; a server error gets the id of its request, unless it has one.
async fn pass_response(response: IncomingResponse, id: &str, outparam: ResponseOutparam) {
    let mut headers = response.headers().entries();
    if response.status() >= 500 && !headers.iter().any(|(name, _)| name == "x-request-id") {
        headers.push(("x-request-id".to_owned(), id.as_bytes().to_vec()));
    }
    let headers = match Fields::from_list(&headers) {
        Ok(headers) => headers,
        Err(error) => return fail(outparam, &error),
    };
    let outward = OutgoingResponse::new(headers);
    // The host checked the code when the handler answered with it.
    let _ = outward.set_status_code(response.status());
    let bodies = response
        .consume()
        .and_then(|from| Ok((from, outward.body()?)));
    ResponseOutparam::set(outparam, Ok(outward));
    if let Ok((from, to)) = bodies {
        // Where either side ends early, dropping the other tells it.
        let _ = pass(from, to).await;
    }
}

/// Passes a body on, with its trailers.
async fn pass(from: IncomingBody, to: OutgoingBody) -> Result<(), ErrorCode> {
    let broken = |_| ErrorCode::HttpResponseIncomplete;
    {
        let gone = |()| ErrorCode::InternalError(None);
        let reader = AsyncInputStream::new(from.stream().map_err(gone)?);
        let writer = AsyncOutputStream::new(to.write().map_err(gone)?);
        let mut piece = vec![0; PIECE];
        loop {
            match reader.read(&mut piece).await.map_err(broken)? {
                0 => break,
                // Who no longer takes it ends this here: the trailers would be waited for until the end.
                read => writer.write_all(&piece[..read]).await.map_err(broken)?,
            }
            writer.flush().await.map_err(broken)?;
        }
    }
    let trailers = IncomingBody::finish(from);
    AsyncPollable::new(trailers.subscribe()).wait_for().await;
    let trailers = match trailers.get() {
        Some(Ok(trailers)) => trailers?,
        Some(Err(())) | None => None,
    };
    OutgoingBody::finish(to, trailers)
}
