//! Outgoing requests under WASI 0.2: `wasi:http/outgoing-handler`.
//!
//! The client of `wstd` returns the response only after the whole request was sent. That may never happen: a server
//! that answers while it reads waits for its response to be read.

use futures::stream;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use wstd::io::{AsyncInputStream, AsyncPollable};
use wstd::runtime::spawn;

use super::wasip2::http::outgoing_handler;
use super::wasip2::http::types::{
    self, ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
    OutgoingRequest,
};
use super::{finish, refusal, writer};
use crate::Body;
use crate::body::{BoxError, Frame};
use crate::client::FetchError;
use crate::message::connection::passed_on;
use crate::run::delivery::{self, Delivery};
use crate::sys::{destination, log};

/// The number of bytes of a response that are read at a time, as in `wasip3`.
const CHUNK: usize = 16 * 1024;

/// Sends a request, and waits for the head of the response. The body is sent meanwhile, and on after the head
/// arrived. Dropping this future stops it.
pub(crate) async fn send(
    mut request: http::Request<Body>,
) -> Result<http::Response<Body>, FetchError> {
    let origin = destination::resolve(request.uri_mut());
    let (head, body) = request.into_parts();
    let request = outgoing(&head.method, &head.uri, &head.headers)?;
    let outgoing = request.body();
    let pending = outgoing_handler::handle(request, None).map_err(|code| failed(code, &origin))?;
    let sending = outgoing.map(|outgoing| spawn(send_body(body, outgoing)));
    let response = head_of(pending)
        .await
        .map_err(|code| failed(code, &origin))?;
    if let Ok(sending) = sending {
        sending.detach();
    }
    received(response)
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

fn outgoing(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<OutgoingRequest, FetchError> {
    let refused = |what: &str| FetchError::Request(format!("the host refuses the {what}"));
    let headers = passed_on(headers);
    let refusal = |error| FetchError::Request(refusal(&headers, &error));
    let headers = Fields::from_list(&headers).map_err(refusal)?;
    let request = OutgoingRequest::new(headers);
    let scheme = uri.scheme().map(scheme_of);
    let authority = uri.authority().map(|authority| authority.as_str());
    let target = uri.path_and_query().map(|target| target.as_str());
    request
        .set_method(&method_of(method))
        .map_err(|()| refused("method"))?;
    request
        .set_scheme(scheme.as_ref())
        .map_err(|()| refused("scheme"))?;
    request
        .set_authority(authority)
        .map_err(|()| refused("authority"))?;
    request
        .set_path_with_query(target)
        .map_err(|()| refused("path"))?;
    Ok(request)
}

fn method_of(method: &Method) -> types::Method {
    match *method {
        Method::GET => types::Method::Get,
        Method::HEAD => types::Method::Head,
        Method::POST => types::Method::Post,
        Method::PUT => types::Method::Put,
        Method::DELETE => types::Method::Delete,
        Method::CONNECT => types::Method::Connect,
        Method::OPTIONS => types::Method::Options,
        Method::TRACE => types::Method::Trace,
        Method::PATCH => types::Method::Patch,
        _ => types::Method::Other(method.to_string()),
    }
}

fn scheme_of(scheme: &Scheme) -> types::Scheme {
    match scheme.as_str() {
        "http" => types::Scheme::Http,
        "https" => types::Scheme::Https,
        other => types::Scheme::Other(other.to_owned()),
    }
}

/// Sends the body of a request. A server may answer without reading it, so a failed connection is reported by the
/// response. An error of the handler's own stream is not known there, and is logged here.
async fn send_body(body: Body, outgoing: OutgoingBody) {
    // A body that is dropped unfinished tells the host to cut the connection.
    let Some(mut server) = writer(&outgoing) else {
        return;
    };
    let sent = delivery::send(body, &mut server).await;
    // The stream is a part of the body, and has to go first.
    drop(server);
    match sent {
        Delivery::Complete(trailers) => finish(outgoing, trailers),
        Delivery::Failed(error) => log(&format!("the body of the request failed: {error}")),
        Delivery::Disconnected => {}
    }
}

async fn head_of(pending: FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    AsyncPollable::new(pending.subscribe()).wait_for().await;
    // It is ready now, and is taken only here.
    let lost = || ErrorCode::InternalError(None);
    pending.get().and_then(Result::ok).ok_or_else(lost)?
}

fn received(response: IncomingResponse) -> Result<http::Response<Body>, FetchError> {
    let broken = |error: &dyn ToString| FetchError::Connection(error.to_string());
    let status = StatusCode::from_u16(response.status()).map_err(|error| broken(&error))?;
    let headers = header_map(&response.headers()).map_err(|error| broken(&error))?;
    let body = response.consume().map_err(|()| broken(&"it has no body"))?;
    let mut received = http::Response::new(IncomingStream::new(body)?.into_body());
    *received.status_mut() = status;
    *received.headers_mut() = headers;
    Ok(received)
}

fn header_map(fields: &Fields) -> Result<HeaderMap, http::Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields.entries() {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        headers.append(name, HeaderValue::from_bytes(&value)?);
    }
    Ok(headers)
}

/// The body of a response. The stream is a child of the body and has to be dropped first, hence the order of the
/// fields.
struct IncomingStream {
    stream: AsyncInputStream,
    body: IncomingBody,
}

impl IncomingStream {
    fn new(body: IncomingBody) -> Result<Self, FetchError> {
        let stream = body.stream();
        let stream = stream.map_err(|()| FetchError::Connection("it has no body".to_owned()))?;
        let stream = AsyncInputStream::new(stream);
        Ok(Self { stream, body })
    }

    /// Converts into a body that is read from the host only when the handler reads it.
    fn into_body(self) -> Body {
        Body::from_frames(stream::unfold(Some(self), async |incoming| {
            let incoming = incoming?;
            match incoming.read().await {
                Ok(data) if data.is_empty() => Some((incoming.trailers().await?, None)),
                Ok(data) => Some((Ok(Frame::Data(data.into())), Some(incoming))),
                Err(error) => Some((Err(error.into()), None)),
            }
        }))
    }

    /// Reads a chunk, which is empty at the end of the body.
    async fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut piece = vec![0; CHUNK];
        let length = self.stream.read(&mut piece).await?;
        piece.truncate(length);
        Ok(piece)
    }

    async fn trailers(self) -> Option<Result<Frame, BoxError>> {
        drop(self.stream);
        let pending = IncomingBody::finish(self.body);
        AsyncPollable::new(pending.subscribe()).wait_for().await;
        match pending.get()?.ok()? {
            Ok(None) => None,
            Ok(Some(fields)) => Some(header_map(&fields).map(Frame::Trailers).map_err(Into::into)),
            Err(code) => Some(Err(code.to_string().into())),
        }
    }
}
