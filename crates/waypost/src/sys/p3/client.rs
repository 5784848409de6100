//! Outgoing requests under WASI 0.3: `wasi:http/client`.

use http::request::Parts;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request};
use wasip3::http_compat::http_from_wasi_response;
use wasip3::wit_bindgen::{FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

use super::{Ended, refusal, trailing};
use crate::Body;
use crate::client::FetchError;
use crate::message::connection::passed_on;
use crate::run::delivery::{self, Delivery};
use crate::sys::{destination, log};

/// Sends a request, and waits for the head of the response. The body is sent by a task, and on after the head arrived.
pub(crate) async fn send(
    mut request: http::Request<Body>,
) -> Result<http::Response<Body>, FetchError> {
    let origin = destination::resolve(request.uri_mut());
    let (head, body) = request.into_parts();
    let request = outgoing(&head, body)?;
    let response = client::send(request).await;
    let response = response.map_err(|code| failed(code, &origin))?;
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

/// Creates the request, and starts to send its body. A request without a body has no stream, which would be a body of
/// unknown length.
fn outgoing(head: &Parts, body: Body) -> Result<Request, FetchError> {
    let headers = passed_on(&head.headers);
    let fields = Fields::from_list(&headers)
        .map_err(|error| FetchError::Request(refusal(&headers, &error)))?;
    let request = match body.is_empty() {
        true => {
            let (_, trailers) = wit_future::new(|| Ok(None));
            Request::new(fields, None, trailers, None).0
        }
        false => {
            let (writer, reader) = wit_stream::new();
            let (ended, trailers) =
                wit_future::new(|| Err(ErrorCode::InternalError(Some("it broke off".to_owned()))));
            wasip3::spawn(send_body(body, writer, ended));
            Request::new(fields, Some(reader), trailers, None).0
        }
    };
    let refused = |what: &str| FetchError::Request(format!("the host refuses the {what}"));
    let (scheme, authority) = (head.uri.scheme().map(Into::into), head.uri.authority());
    let target = head.uri.path_and_query().map(|target| target.as_str());
    request
        .set_method(&(&head.method).into())
        .map_err(|()| refused("method"))?;
    request
        .set_scheme(scheme.as_ref())
        .map_err(|()| refused("scheme"))?;
    request
        .set_authority(authority.map(|authority| authority.as_str()))
        .map_err(|()| refused("authority"))?;
    request
        .set_path_with_query(target)
        .map_err(|()| refused("path"))?;
    Ok(request)
}

/// Sends the body of a request. A server may answer without reading it, so a failed connection is reported by the
/// response. An error of the handler's own stream is not known there, and is logged here.
async fn send_body(body: Body, mut server: StreamWriter<u8>, ended: FutureWriter<Ended>) {
    match delivery::send(body, &mut server).await {
        Delivery::Complete(trailers) => {
            let trailers = trailers.and_then(|trailers| trailing(&trailers));
            drop(server);
            drop(ended.write(Ok(trailers)).await);
        }
        Delivery::Failed(error) => {
            log(&format!("the body of the request failed: {error}"));
            let code = ErrorCode::InternalError(Some(error.to_string()));
            // Before the stream ends, because its end alone would look like that of a complete body.
            drop(ended.write(Err(code)).await);
        }
        Delivery::Disconnected => {}
    }
}
