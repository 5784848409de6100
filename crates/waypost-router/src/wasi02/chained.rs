//! Calls handlers with in-memory HTTP requests, on Spin and on Waypost's host.

use std::pin::pin;

use futures::future::{Either, select};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingRequest, IncomingResponse,
    Method, OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme,
};
use wstd::io::{AsyncInputStream, AsyncOutputStream};
use wstd::runtime::{AsyncPollable, block_on};

use super::{Inbound, fail, new_id, respond};
use crate::fields::lower;
use crate::forwarding::is_never_passed_on;
use crate::instance::{handler_failed, trusted_headers};
use crate::{Answer, Destination, Forwarding, Headers};

/// Answers a request, or forwards it to its handler and passes the whole response on, body and trailers included.
///
/// It returns only afterwards, because a WASI 0.2 component does no work after its export has returned.
pub fn handle(routes: &str, request: IncomingRequest, response: ResponseOutparam) {
    match Chain::to_handler(routes, &request) {
        Ok(chain) => block_on(chain.run(&request, response)),
        Err(answer) => respond(answer, response),
    }
}

/// The most bytes of a body that are passed on at once.
const PIECE: usize = 16 * 1024;

/// A request that was sent to its handler.
struct Chain {
    id: String,
    destination: &'static Destination,
    response: FutureIncomingResponse,
    /// The outgoing body of the request.
    body: OutgoingBody,
}

impl Chain {
    /// Sends the head of the request. An `Err` is a response that the router sends itself.
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
        let sent = internal_request(&inbound, destination, &forwarded.headers)
            .and_then(|(request, body)| Ok((outgoing_handler::handle(request, None)?, body)));
        match sent {
            Ok((response, body)) => Ok(Self {
                id: forwarded.id,
                destination,
                response,
                body,
            }),
            Err(code) => Err(handler_failed(&forwarded.id, destination, code)),
        }
    }

    /// Passes on the body of the request and the response concurrently.
    async fn run(self, request: &IncomingRequest, outparam: ResponseOutparam) {
        let (id, destination, response) = (self.id, self.destination, self.response);
        let sending = pin!(async {
            // This fails if the handler does not read the body. Only the response matters then.
            if let Ok(body) = request.consume() {
                let _ = pass(body, self.body).await;
            }
        });
        let answering = pin!(async {
            let is_head = matches!(request.method(), Method::Head);
            match received(response).await {
                Ok(response) => pass_response(response, &id, is_head, outparam).await,
                Err(code) => respond(handler_failed(&id, destination, code), outparam),
            }
        });
        if let Either::Left((_, answering)) = select(sending, answering).await {
            answering.await;
        }
    }
}

/// Builds the request for the handler, and its outgoing body.
fn internal_request(
    inbound: &Inbound,
    destination: &Destination,
    headers: &Headers,
) -> Result<(OutgoingRequest, OutgoingBody), ErrorCode> {
    let refused = |()| ErrorCode::HttpRequestUriInvalid;
    let headers = Fields::from_list(headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let internal = OutgoingRequest::new(headers);
    internal
        .set_method(&inbound.method)
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    internal.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    internal
        .set_authority(Some(&destination.authority()))
        .map_err(refused)?;
    internal
        .set_path_with_query(Some(&inbound.target))
        .map_err(refused)?;
    let body = internal
        .body()
        .map_err(|()| ErrorCode::InternalError(None))?;
    Ok((internal, body))
}

/// Waits for the head of the response.
async fn received(response: FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    AsyncPollable::new(response.subscribe()).wait_for().await;
    match response.get() {
        Some(Ok(received)) => received,
        // Unreachable: the response is ready, and nothing else takes it.
        Some(Err(())) | None => Err(ErrorCode::InternalError(None)),
    }
}

/// Sends the handler's response to the client. Adds the request id to a server error that has none.
async fn pass_response(
    response: IncomingResponse,
    id: &str,
    is_head: bool,
    outparam: ResponseOutparam,
) {
    let mut headers = response.headers().entries();
    // A handler may have passed on what another server sent, and the host would refuse the whole list.
    headers.retain(|(name, _)| !is_never_passed_on(&lower(name)));
    if response.status() >= 500 {
        // That of another server, whose response was passed on, is in nobody's log here.
        headers.retain(|(name, _)| name != "x-request-id");
        headers.push(("x-request-id".to_owned(), id.as_bytes().to_vec()));
    }
    let headers = match Fields::from_list(&headers) {
        Ok(headers) => headers,
        Err(error) => return fail(outparam, &error),
    };
    let outward = OutgoingResponse::new(headers);
    // This can't fail: the host checked the status when the handler set it.
    let _ = outward.set_status_code(response.status());
    let bodies = match is_head {
        // It has the length of a body that it leaves out, which the host would miss at the end of one.
        true => Err(()),
        false => response
            .consume()
            .and_then(|from| Ok((from, outward.body()?))),
    };
    ResponseOutparam::set(outparam, Ok(outward));
    if let Ok((from, to)) = bodies {
        // If one side ends early, dropping the other side's body informs that side.
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
                // An error here returns before the trailers, which might never come.
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
